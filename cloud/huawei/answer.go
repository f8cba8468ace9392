package huawei

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Longest wait that a Retry-After can ask for. The longest that was ever seen is a minute; a broken one must not stop us.
const maxRetryAfter = time.Hour

// said is what an error body says.
type said struct {
	code, message, requestID string
}

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
func parse(body []byte) said {
	var flat fault
	if json.Unmarshal(body, &flat) != nil {
		return said{}
	}
	if code := flat.code(); code != "" {
		return said{code, flat.message(), safeToken(flat.RequestID)}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return said{}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var nested fault
		if json.Unmarshal(members[name], &nested) != nil {
			continue
		}
		code := nested.code()
		if _, number := nested.Code.(float64); number {
			code = safeToken(name)
		}
		if code != "" {
			return said{code, nested.message(), safeToken(cmp.Or(nested.RequestID, flat.RequestID))}
		}
	}
	return said{message: flat.message(), requestID: safeToken(flat.RequestID)}
}

func (f fault) code() string {
	text, _ := f.Code.(string)
	return safeToken(cmp.Or(f.CCECode, text, f.ErrorCode))
}

func (f fault) message() string { return cmp.Or(f.CCEMsg, f.Message, f.ErrorMsg) }

// blank tells whether a body says nothing: it is empty, or an object without an error.
func blank(body []byte) bool {
	if len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	var object map[string]any
	return json.Unmarshal(body, &object) == nil && object != nil && parse(body).code == ""
}

var token = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// safeToken lets through what looks like a code or an id; anything else could be a text with who knows what inside.
func safeToken(s string) string {
	if !token.MatchString(s) {
		return ""
	}
	return s
}

// retryAfter reads a Retry-After of seconds, which are sometimes a fraction. Whatever else it holds counts as absent.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}
