package aliyun

import (
	"net/http"
	"strconv"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// refusal is why a call, or one resource's part of it, is not done.
type refusal struct {
	status        int // of HTTP
	code, message string
}

// errorBody is the gateway's shape of an error, and that of most services.
type errorBody struct {
	RequestID string `json:"RequestId"`
	HostID    string `json:"HostId"`
	Code      string `json:"Code"`
	Message   string `json:"Message"`
	Recommend string `json:"Recommend,omitempty"`
}

func (s *Service) refuse(c *wire.Call, r *refusal) wire.Answer {
	return s.Refuse(c, r.status, r.code, r.message)
}

// Refuse builds an error answer in the shape of the product that was called.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	if number, err := strconv.Atoi(code); err == nil && status == http.StatusOK {
		return wire.Answer{Status: status, Code: code, Body: businessBody(c, number, message), Effect: journal.Refused}
	}
	if in, _ := c.Input.(*bound); in != nil && in.version == csVersion {
		return wire.Answer{Status: status, Code: code, Effect: journal.Refused,
			Body: object{"code": code, "message": message, "requestId": requestID(c), "status": status}}
	}
	return gatewayError(c, status, code, message)
}

// gatewayError is what the gateway refuses itself, whatever the product.
func gatewayError(c *wire.Call, status int, code, message string) wire.Answer {
	body := errorBody{RequestID: requestID(c), HostID: c.HTTP.Host, Code: code, Message: message}
	if status != http.StatusNotImplemented {
		body.Recommend = "https://api.alibabacloud.com/troubleshoot?q=" + code
	}
	return wire.Answer{Status: status, Code: code, Body: body, Effect: journal.Refused}
}

func unimplemented(what string) *refusal {
	return &refusal{http.StatusNotImplemented, "SIM.0501", "The simulator does not implement " + what + "."}
}

func missing(parameter string) *refusal {
	return &refusal{http.StatusBadRequest, "MissingParameter",
		"The input parameter \"" + parameter + "\" that is mandatory for processing this request is not supplied."}
}

func invalid(parameter string) *refusal {
	return &refusal{http.StatusBadRequest, "InvalidParameter", "The specified parameter \"" + parameter + "\" is not valid."}
}

func forbidden(code, message string) *refusal { return &refusal{http.StatusForbidden, code, message} }

func notFound(code, message string) *refusal { return &refusal{http.StatusNotFound, code, message} }

func badRequest(code, message string) *refusal { return &refusal{http.StatusBadRequest, code, message} }

func noInstance() *refusal {
	return notFound("InvalidInstanceId.NotFound", "The specified InstanceId does not exist.")
}

func wrongStatus() *refusal {
	return forbidden("IncorrectInstanceStatus", "The current status of the resource does not support this operation.")
}

func locked() *refusal {
	return forbidden("InstanceLockedForSecurity",
		"The specified operation is denied as your instance is locked for security reasons.")
}

// dryRun is the answer to a call that would have worked.
func dryRun() *refusal {
	return badRequest("DryRunOperation", "Request validation has been passed with DryRun flag set.")
}
