package huawei

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

// fault is the inside of an error. Huawei's own services give code and message as text, the gateway error_code and
// error_msg, CCE errorCode and errorMessage beside a number, and what comes from OpenStack has a number for a code.
type fault struct {
	Code      any    `json:"code"`
	Message   string `json:"message"`
	ErrorCode string `json:"error_code"`
	ErrorMsg  string `json:"error_msg"`
	CCECode   string `json:"errorCode"`
	CCEMsg    string `json:"errorMessage"`
	RequestID string `json:"request_id"`
}

// parse reads an error out of a body in any of the known shapes. A body in none of them says nothing.
//
//	{"error_code": "APIGW.0308", "error_msg": "…", "request_id": "…"}    the gateway
//	{"error": {"code": "Ecs.0100", "message": "…"}}                      ECS
//	{"code": "Common.0011", "message": "…"}                              a job that could not be queried
//	{"kind": "Status", "code": 400, "errorCode": "CCE.01400001", "errorMessage": "…"}    CCE
//	{"itemNotFound": {"message": "…", "code": 404}}                      OpenStack: the name is the code
func parse(body []byte) wire.Said {
	var flat fault
	if json.Unmarshal(body, &flat) != nil {
		return wire.Said{}
	}
	if code := flat.code(); code != "" {
		return wire.Said{Code: code, Message: flat.message(), RequestID: wire.Token(flat.RequestID)}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return wire.Said{}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var nested fault
		if json.Unmarshal(members[name], &nested) != nil {
			continue
		}
		code := nested.code()
		if _, number := nested.Code.(float64); number {
			code = wire.Token(name)
		}
		if code != "" {
			return wire.Said{Code: code, Message: nested.message(),
				RequestID: wire.Token(cmp.Or(nested.RequestID, flat.RequestID))}
		}
	}
	return wire.Said{Message: flat.message(), RequestID: wire.Token(flat.RequestID)}
}

func (f fault) code() string {
	text, _ := f.Code.(string)
	return wire.Token(cmp.Or(f.CCECode, text, f.ErrorCode))
}

func (f fault) message() string { return cmp.Or(f.CCEMsg, f.Message, f.ErrorMsg) }

// blank tells whether a body says nothing: it is empty, or an object without an error.
func blank(body []byte) bool {
	if len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	var object map[string]any
	return json.Unmarshal(body, &object) == nil && object != nil && parse(body).Code == ""
}
