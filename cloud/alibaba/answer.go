package alibaba

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

// said is what a body says about the call, whatever else is in it.
type said struct {
	wire.Said
	object bool // it is a JSON object at all
	fine   bool // it says that it worked, and not only nothing to the contrary
}

// envelope holds what the bodies of all products have around their content. Names match whatever their case, so that
// "Code" and "code" are both found; values are raw, since the one or other product sends numbers for texts.
type envelope struct {
	Code               json.RawMessage
	Message            json.RawMessage
	RequestID          json.RawMessage // RequestId, requestId
	RequestIDSnake     json.RawMessage `json:"request_id"`
	AccessDeniedDetail json.RawMessage
}

// parse reads what a body says in any of the known shapes. A body in none of them says nothing.
//
//	{"Code": "Forbidden.RAM", "Message": "…", "RequestId": "…"}    ECS, resource manager, every gateway
//	{"code": "ErrorClusterNotFound", "message": "…", …}            container service
//	{"Code": 500, "Message": "…", …}                               EDAS, with any status; 200 is its word for success
func parse(body []byte) said {
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return said{}
	}
	s := said{object: bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")), Said: wire.Said{
		Code:      wire.Token(text(e.Code)),
		Message:   text(e.Message),
		RequestID: wire.Token(cmp.Or(text(e.RequestID), text(e.RequestIDSnake))),
	}}
	if s.Code == "200" {
		s.fine, s.Code = true, ""
	}
	var denied struct{ AuthAction string }
	if json.Unmarshal(e.AccessDeniedDetail, &denied) == nil && wire.Token(denied.AuthAction) != "" {
		s.Message += " (it takes the permission " + denied.AuthAction + ")"
	}
	return s
}

// text is a JSON text or number as text, else "".
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// list is a list of the cloud's. The older products wrap one, as in {"Instance": […]}, the newer ones do not. It is nil
// when the answer has none, which is not the same as an empty one.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var wrapped map[string]json.RawMessage
		if err := json.Unmarshal(data, &wrapped); err != nil {
			return err
		}
		if len(wrapped) > 1 {
			return errors.New("a list with several names")
		}
		data = []byte("null")
		for _, inner := range wrapped {
			data = inner
		}
	}
	return json.Unmarshal(data, (*[]T)(l))
}

// retryAfter reads how long an answer asks to wait: whole or broken seconds in the header that everybody knows, or
// milliseconds in the cloud's own. Whatever else they hold counts as absent.
func retryAfter(header http.Header) time.Duration {
	return cmp.Or(
		wire.Duration(header.Get("Retry-After"), time.Second),
		wire.Duration(header.Get("X-Acs-Retry-After"), time.Millisecond),
	)
}
