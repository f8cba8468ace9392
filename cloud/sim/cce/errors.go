package cce

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// refusal is why a call is not done.
type refusal struct{ code, message string }

func badRequest(message string) *refusal { return &refusal{"CCE.01400001", message} }

func missing(what, id string) *refusal {
	return &refusal{"CCE.01404001", "The " + what + " " + id + " does not exist."}
}

// status is the HTTP status, which most codes carry in their digits.
func (r refusal) status() int {
	if _, digits, ok := strings.Cut(r.code, "."); ok && len(digits) == 8 {
		if status, err := strconv.Atoi(digits[2:5]); err == nil {
			return status
		}
	}
	return http.StatusNotImplemented
}

func (s *Service) refuse(c *wire.Call, r *refusal) wire.Answer {
	return s.Refuse(c, r.status(), r.code, r.message)
}

// Refuse builds an error body: flat as the API gateway's, or the full form of CCE's own.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	a := wire.Answer{Status: status, Code: code, Effect: journal.Refused}
	if strings.HasPrefix(code, "APIGW.") || strings.HasPrefix(code, "SIM.") {
		a.Body = gatewayError{message, code, c.RequestID}
	} else {
		a.Body = statusBody{Kind: "Status", APIVersion: "v1", Status: "Failure", Code: status, ErrorCode: code,
			ErrorMessage: message, Message: message, Reason: http.StatusText(status)}
	}
	return a
}

type gatewayError struct {
	Message   string `json:"error_msg"`
	Code      string `json:"error_code"`
	RequestID string `json:"request_id"`
}

type statusBody struct {
	Kind         string   `json:"kind"`
	APIVersion   string   `json:"apiVersion"`
	Metadata     struct{} `json:"metadata"`
	Status       string   `json:"status"`
	Code         int      `json:"code"`
	ErrorCode    string   `json:"errorCode"`
	ErrorMessage string   `json:"errorMessage"`
	Message      string   `json:"message"`
	Reason       string   `json:"reason"`
}
