package ecs

import (
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// refusal is why a call, or one server's part of it, is not done.
type refusal = huaweiapi.Refusal

// Status is the HTTP status that goes with an error code. Most of them are 400, whatever they mean.
func (s *Service) Status(code string) int {
	switch code {
	case "Ecs.0114", "itemNotFound":
		return http.StatusNotFound
	case "conflictingRequest":
		return http.StatusConflict
	case "forbidden":
		return http.StatusForbidden
	case "Ecs.0603":
		return http.StatusNotImplemented
	}
	return http.StatusBadRequest
}

// Refuse builds an error body: nested as the ECS service's, or keyed as Nova's, which the code decides.
func (s *Service) Refuse(c *wire.Call, status int, code, message string) wire.Answer {
	var own any = map[string]any{code: novaError{message, status}}
	if strings.Contains(code, ".") {
		own = serviceError{errorBody{code, message}}
	}
	return huaweiapi.Refuse(c, status, code, message, own)
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
	return &refusal{Code: "Ecs.0114", Message: "The ECS " + id + " does not exist."}
}

// noGroup has the code that the world chose (H4).
func (s *Service) noGroup(id string) *refusal {
	return &refusal{Code: s.config.Knobs.MissingGroup, Message: "The ECS group " + id + " does not exist."}
}

// busy has the code that the world chose (H2).
func (s *Service) busy(id string) *refusal {
	return &refusal{Code: s.config.Knobs.Busy, Message: "The ECS " + id + " is executing another command. Try again later."}
}

func locked(id string) *refusal {
	return &refusal{Code: "Ecs.0605", Message: "The ECS " + id + " is locked."}
}

func wrongStatus(id, status string) *refusal {
	return &refusal{Code: "Ecs.0100", Message: "The ECS " + id + " is in status " + status + ", which does not allow this operation."}
}

func badRequest(message string) *refusal { return &refusal{Code: "Ecs.0005", Message: message} }
