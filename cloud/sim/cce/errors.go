package cce

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// refusal is why a call is not done.
type refusal = huaweiapi.Refusal

func badRequest(message string) *refusal { return &refusal{Code: "CCE.01400001", Message: message} }

func missing(what, id string) *refusal {
	return &refusal{Code: "CCE.01404001", Message: "The " + what + " " + id + " does not exist."}
}

// Status is the HTTP status, which most codes carry in their digits.
func (s *Service) Status(code string) int {
	if _, digits, ok := strings.Cut(code, "."); ok && len(digits) == 8 {
		if status, err := strconv.Atoi(digits[2:5]); err == nil {
			return status
		}
	}
	return http.StatusNotImplemented
}

// Refuse builds an error body in the full form of CCE's own.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	return huaweiapi.Refuse(c, status, code, message, statusBody{Kind: "Status", APIVersion: "v1", Status: "Failure",
		Code: status, ErrorCode: code, ErrorMessage: message, Message: message, Reason: http.StatusText(status)})
}

// Throttled is the service's refusal of an account that calls too often.
func (s *Service) Throttled(c *wire.Call, status int, retryAfter string) wire.Answer {
	if status == 0 {
		status = http.StatusTooManyRequests
	}
	return huaweiapi.Throttled(s.Refuse(c, status, "CCE.02429001", "Too many requests. Try again later."), retryAfter)
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
