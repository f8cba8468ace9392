// Package alibabasign signs and verifies requests the way Alibaba Cloud's gateway does, in all of its styles: RPC and
// ROA with HMAC-SHA1, and ACS3-HMAC-SHA256 for both.
package alibabasign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MaxSkew is how far a request's timestamp may be from the gateway's clock.
const MaxSkew = 15 * time.Minute

// Key is a pair of access keys. Token is set for temporary keys only.
type Key struct{ Access, Secret, Token string }

// Style is a way of signing.
type Style int

// The styles. Both ROA styles are verified alike: what a request does not carry is not asked of it.
const (
	None   Style = iota // no style at all
	RPC                 // HMAC-SHA1 over the parameters
	ROA                 // HMAC-SHA1 over method, headers and path; with Content-MD5, without a nonce
	TeaROA              // the same with a nonce and without Content-MD5, so that nothing covers the body
	ACS3                // HMAC-SHA256 over method, path, query, headers and body
)

const (
	algorithm   = "ACS3-HMAC-SHA256"
	isoFormat   = "2006-01-02T15:04:05Z"
	formType    = "application/x-www-form-urlencoded"
	acsPrefix   = "x-acs-"
	tokenHeader = "x-acs-security-token"
	nonceHeader = "x-acs-signature-nonce"
	dateHeader  = "x-acs-date"
	hashHeader  = "x-acs-content-sha256"
)

// StyleOf recognises the style in which a request is signed, rightly or not.
func StyleOf(r *http.Request) Style {
	auth := r.Header.Get("Authorization")
	switch {
	case strings.HasPrefix(auth, algorithm+" "):
		return ACS3
	case strings.HasPrefix(auth, "acs "):
		if r.Header.Get(nonceHeader) != "" {
			return TeaROA
		}
		return ROA
	case r.URL.Query().Has("Signature"):
		return RPC
	}
	return None
}

// Params returns the parameters of an RPC call: those of the query and those of a form in the body.
func Params(r *http.Request, body []byte) url.Values {
	params := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), formType) {
		form, _ := url.ParseQuery(string(body)) // what cannot be read is missing, and so is refused
		for name, values := range form {
			params[name] = append(params[name], values...)
		}
	}
	return params
}

// stringToSign is what an HMAC-SHA1 signature in this style covers.
func stringToSign(style Style, r *http.Request, body []byte) string {
	if style == RPC {
		params := Params(r, body)
		params.Del("Signature")
		return r.Method + "&%2F&" + escape(joined(params))
	}
	var s strings.Builder
	s.WriteString(r.Method + "\n")
	for _, name := range []string{"Accept", "Content-Md5", "Content-Type", "Date"} {
		s.WriteString(r.Header.Get(name) + "\n")
	}
	for _, name := range headersOf(r) {
		s.WriteString(name + ":" + r.Header.Get(name) + "\n")
	}
	s.WriteString(r.URL.Path)
	query := r.URL.Query()
	for i, name := range slices.Sorted(maps.Keys(query)) {
		s.WriteByte("?&"[min(i, 1)])
		s.WriteString(name)
		if value := query.Get(name); value != "" {
			s.WriteString("=" + value)
		}
	}
	return s.String()
}

// canonical is what an ACS3 signature covers, given which headers it says to cover.
func canonical(r *http.Request, signed []string) string {
	var c strings.Builder
	path := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(r.URL.EscapedPath())
	if path == "" {
		path = "/"
	}
	c.WriteString(r.Method + "\n" + path + "\n" + joined(r.URL.Query()) + "\n")
	for _, name := range signed {
		c.WriteString(name + ":" + header(r, name) + "\n")
	}
	c.WriteString("\n" + strings.Join(signed, ";") + "\n" + r.Header.Get(hashHeader))
	return c.String()
}

func header(r *http.Request, name string) string {
	if name == "host" {
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	}
	values := r.Header.Values(name)
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.TrimSpace(value)
	}
	slices.Sort(trimmed)
	return strings.Join(trimmed, ",")
}

// headersOf returns the names of the x-acs- headers, in lower case and sorted.
func headersOf(r *http.Request) []string {
	var names []string
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, acsPrefix) {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}

// joined renders parameters sorted and escaped, as name=value joined by &.
func joined(params url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, value := range slices.Sorted(slices.Values(params[name])) {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

// escape percent-encodes everything but RFC 3986's unreserved characters.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

func hmacSHA1(text, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func hmacSHA256(text, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + hexHash([]byte(text))))
	return hex.EncodeToString(mac.Sum(nil))
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
