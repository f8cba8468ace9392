package alibabasign

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Refusal is why the gateway does not let a request through.
type Refusal struct {
	Status        int // of HTTP
	Code, Message string
}

func incomplete(what string) *Refusal {
	return &Refusal{http.StatusBadRequest, "IncompleteSignature",
		"The request signature does not conform to Aliyun standards. " + what}
}

// claim is what a request says about its own signature.
type claim struct {
	access, signature, token, nonce string
	stamp, layout                   string // the time of signing and how it is written
	signed                          []string
	text                            string // what the signature covers
	refusal                         *Refusal
}

// Gateway verifies signatures. It is safe for concurrent use. It remembers nonces in memory only, so that a replay
// across its restart is let through.
type Gateway struct {
	lookup func(access string) (Key, bool)
	nonces *nonces
}

// NewGateway returns a gateway for the keys that lookup finds by their access keys.
func NewGateway(lookup func(access string) (Key, bool)) *Gateway {
	return &Gateway{lookup: lookup, nonces: newNonces()}
}

// Verify checks the signature on r in whatever style it is, and returns the access key that made it. The time now is
// the gateway's wall clock. As the real gateway's, the refusal of a wrong signature tells what should have been
// signed, so it must be handled like the request itself.
func (g *Gateway) Verify(r *http.Request, body []byte, now time.Time) (string, *Refusal) {
	style := StyleOf(r)
	c := read(style, r, body)
	if c.refusal != nil {
		return "", c.refusal
	}
	signed, err := time.Parse(c.layout, c.stamp)
	if err != nil {
		return "", &Refusal{http.StatusBadRequest, "InvalidTimeStamp.Format",
			"Specified time stamp or date value is not well formatted."}
	}
	if now.Sub(signed).Abs() > MaxSkew {
		return "", &Refusal{http.StatusBadRequest, "InvalidTimeStamp.Expired",
			"Specified time stamp or date value is expired."}
	}
	key, ok := g.lookup(c.access)
	if !ok {
		return "", &Refusal{http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
	}
	if c.token != key.Token {
		if c.token == "" {
			return "", &Refusal{http.StatusBadRequest, "MissingSecurityToken", "SecurityToken is mandatory for this action."}
		}
		return "", &Refusal{http.StatusBadRequest, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."}
	}
	if !hmac.Equal([]byte(c.signature), []byte(c.expected(style, key.Secret))) || !intact(style, r, body) {
		return "", &Refusal{http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:" + c.text}
	}
	// Only now: somebody else's forgery must not use up a nonce.
	if c.nonce != "" && !g.nonces.use(c.access, c.nonce, now) {
		return "", &Refusal{http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already."}
	}
	return c.access, nil
}

func (c claim) expected(style Style, secret string) string {
	switch style {
	case RPC:
		return hmacSHA1(c.text, secret+"&")
	case ACS3:
		return hmacSHA256(c.text, secret)
	default:
		return hmacSHA1(c.text, secret)
	}
}

// intact reports whether the body is the one that was signed, as far as the style tells.
func intact(style Style, r *http.Request, body []byte) bool {
	switch style {
	case ACS3:
		return r.Header.Get(hashHeader) == hexHash(body)
	case ROA:
		sum := md5.Sum(body)
		digest := r.Header.Get("Content-MD5")
		return digest == "" || digest == base64.StdEncoding.EncodeToString(sum[:])
	}
	return true // RPC signs a form's fields; TeaROA nothing of the body
}

func read(style Style, r *http.Request, body []byte) claim {
	switch style {
	case RPC:
		return readRPC(r, body)
	case ROA, TeaROA:
		return readROA(style, r, body)
	case ACS3:
		return readACS3(r)
	}
	return claim{refusal: incomplete("There is none.")}
}

func readRPC(r *http.Request, body []byte) claim {
	params := Params(r, body)
	for name, values := range params {
		if len(values) > 1 {
			return claim{refusal: incomplete("The parameter " + name + " is there more than once.")}
		}
	}
	c := claim{access: params.Get("AccessKeyId"), signature: params.Get("Signature"), token: params.Get("SecurityToken"),
		nonce: params.Get("SignatureNonce"), stamp: params.Get("Timestamp"), layout: isoFormat}
	switch {
	case c.access == "" || c.nonce == "" || c.stamp == "":
		c.refusal = incomplete("AccessKeyId, SignatureNonce or Timestamp is missing.")
	case params.Get("SignatureMethod") != "HMAC-SHA1" || params.Get("SignatureVersion") != "1.0":
		c.refusal = incomplete("SignatureMethod is not HMAC-SHA1 or SignatureVersion not 1.0.")
	}
	c.text = stringToSign(RPC, r, body)
	return c
}

func readROA(style Style, r *http.Request, body []byte) claim {
	access, signature, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "acs "), ":")
	c := claim{access: access, signature: signature, token: r.Header.Get(tokenHeader), nonce: r.Header.Get(nonceHeader),
		stamp: r.Header.Get("Date"), layout: http.TimeFormat}
	method := r.Header.Get("x-acs-signature-method")
	switch {
	case access == "" || signature == "" || c.stamp == "":
		c.refusal = incomplete("The access key, the signature or the Date is missing.")
	case method != "" && method != "HMAC-SHA1":
		c.refusal = incomplete("x-acs-signature-method is not HMAC-SHA1.")
	}
	c.text = stringToSign(style, r, body)
	return c
}

func readACS3(r *http.Request) claim {
	c := claim{token: r.Header.Get(tokenHeader), nonce: r.Header.Get(nonceHeader), stamp: r.Header.Get(dateHeader),
		layout: isoFormat}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), algorithm+" "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			c.access = value
		case "SignedHeaders":
			c.signed = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	if c.access == "" || c.signature == "" || c.nonce == "" || c.stamp == "" {
		c.refusal = incomplete("Credential, Signature, " + nonceHeader + " or " + dateHeader + " is missing.")
		return c
	}
	for _, name := range append(headersOf(r), "host", hashHeader) {
		if !slices.Contains(c.signed, name) {
			c.refusal = incomplete("The header " + name + " is not among the signed ones.")
			return c
		}
	}
	c.text = canonical(r, c.signed)
	return c
}
