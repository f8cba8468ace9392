package ecs

import (
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// refusal is why a call, or one server's part of it, is not done. The HTTP status follows from the code.
type refusal struct{ code, message string }

// status is the HTTP status that goes with an error code. Most of them are 400, whatever they mean.
func (r refusal) status() int {
	switch r.code {
	case "Ecs.0114", "itemNotFound":
		return http.StatusNotFound
	case "Ecs.0603":
		return http.StatusNotImplemented
	case "SIM.0501":
		return http.StatusNotImplemented
	}
	return http.StatusBadRequest
}

func (s *Service) refuse(c *wire.Call, r *refusal) wire.Answer {
	return s.Refuse(c, r.status(), r.code, r.message)
}

// Refuse builds an error body: flat as the API gateway's, nested as the ECS service's, or keyed as Nova's, which
// the code decides.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	var body any
	switch {
	case strings.HasPrefix(code, "APIGW.") || strings.HasPrefix(code, "SIM."):
		body = gatewayError{message, code, c.RequestID}
	case strings.Contains(code, "."):
		body = serviceError{errorBody{code, message}}
	default:
		body = map[string]any{code: novaError{message, status}}
	}
	return wire.Answer{Status: status, Code: code, Body: body, Effect: journal.Refused}
}

type gatewayError struct {
	Message   string `json:"error_msg"`
	Code      string `json:"error_code"`
	RequestID string `json:"request_id"`
}

type serviceError struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type novaError struct {
	Message string `json:"message"`
	Code    int    `json:"code"`
}

func (s *Service) noServer(id string) *refusal {
	return &refusal{"Ecs.0114", "The ECS " + id + " does not exist."}
}

// noGroup has the code that the world chose (H4).
func (s *Service) noGroup(id string) *refusal {
	return &refusal{s.config.Knobs.MissingGroup, "The ECS group " + id + " does not exist."}
}

// busy has the code that the world chose (H2).
func (s *Service) busy(id string) *refusal {
	return &refusal{s.config.Knobs.Busy, "The ECS " + id + " is executing another command. Try again later."}
}

func locked(id string) *refusal {
	return &refusal{"Ecs.0605", "The ECS " + id + " is locked."}
}

func wrongStatus(id, status string) *refusal {
	return &refusal{"Ecs.0100", "The ECS " + id + " is in status " + status + ", which does not allow this operation."}
}

func badRequest(message string) *refusal { return &refusal{"Ecs.0005", message} }

func unimplemented(what string) *refusal {
	return &refusal{"SIM.0501", "The simulator does not implement " + what + "."}
}
