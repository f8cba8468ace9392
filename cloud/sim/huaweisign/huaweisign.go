// Package huaweisign signs and verifies requests the way Huawei Cloud's gateway does: SDK-HMAC-SHA256.
package huaweisign

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm   = "SDK-HMAC-SHA256"
	dateHeader  = "X-Sdk-Date"
	dateFormat  = "20060102T150405Z"
	hashHeader  = "X-Sdk-Content-Sha256"
	unsigned    = "UNSIGNED-PAYLOAD"
	tokenHeader = "X-Security-Token"

	// MaxSkew is how far X-Sdk-Date may be from the gateway's clock.
	MaxSkew = 15 * time.Minute
)

// Key is a pair of access keys. Token is set for temporary keys only.
type Key struct{ Access, Secret, Token string }

// Sign sets X-Sdk-Date, Authorization and, for temporary keys, X-Security-Token on r. All headers that r has are
// signed, except Content-Type. The body is r's body as it will be sent.
func Sign(r *http.Request, body []byte, key Key, now time.Time) {
	r.Header.Set(dateHeader, now.UTC().Format(dateFormat))
	if key.Token != "" {
		r.Header.Set(tokenHeader, key.Token)
	}
	var names []string
	for name := range r.Header {
		if lower := strings.ToLower(name); lower != "authorization" && !strings.HasPrefix(lower, "content-type") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	r.Header.Set("Authorization", fmt.Sprintf("%s Access=%s, SignedHeaders=%s, Signature=%s",
		algorithm, key.Access, strings.Join(names, ";"), signature(r, names, body, key.Secret)))
}

// Verify checks the signature on r and returns the access key that made it. The lookup finds a key by its access
// key; now is the gateway's wall clock. Errors say what is wrong, but never what would have been right.
func Verify(r *http.Request, body []byte, now time.Time, lookup func(access string) (Key, bool)) (string, error) {
	auth, err := parse(r.Header.Get("Authorization"))
	if err != nil {
		return "", err
	}
	date, err := time.Parse(dateFormat, r.Header.Get(dateHeader))
	if err != nil {
		return "", fmt.Errorf("%s is not a time such as 20060102T150405Z", dateHeader)
	}
	if skew := now.Sub(date).Abs(); skew > MaxSkew {
		return "", fmt.Errorf("signature expired: %s differs from the gateway's time by more than %v", dateHeader, MaxSkew)
	}
	key, ok := lookup(auth.access)
	if !ok {
		return "", fmt.Errorf("access key %s does not exist", auth.access)
	}
	if key.Token != "" && r.Header.Get(tokenHeader) != key.Token {
		return "", fmt.Errorf("%s is missing or wrong", tokenHeader)
	}
	for _, name := range []string{dateHeader, tokenHeader} {
		if r.Header.Get(name) != "" && !slices.Contains(auth.signed, strings.ToLower(name)) {
			return "", fmt.Errorf("%s is not among the signed headers", name)
		}
	}
	if hash := r.Header.Get(hashHeader); hash != "" && hash != unsigned && hash != hexHash(body) {
		return "", fmt.Errorf("%s does not match the body", hashHeader)
	}
	if !hmac.Equal([]byte(signature(r, auth.signed, body, key.Secret)), []byte(auth.signature)) {
		return "", fmt.Errorf("verify aksk signature fail")
	}
	return auth.access, nil
}

// authorization is a parsed Authorization header.
type authorization struct {
	access, signature string
	signed            []string
}

func parse(header string) (authorization, error) {
	var a authorization
	if header == "" {
		return a, fmt.Errorf("the Authorization header is missing")
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return a, fmt.Errorf("the Authorization header is not of the %s kind", algorithm)
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Access":
			a.access = value
		case "SignedHeaders":
			a.signed = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	if a.access == "" || a.signature == "" || !slices.Contains(a.signed, strings.ToLower(dateHeader)) {
		return a, fmt.Errorf("the Authorization header lacks Access, Signature or a signed %s", dateHeader)
	}
	return a, nil
}

// signature computes the signature over the headers named in signed, in that order. The date header must be set.
func signature(r *http.Request, signed []string, body []byte, secret string) string {
	var c strings.Builder
	c.WriteString(r.Method + "\n" + canonicalPath(r.URL.Path) + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range signed {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{cmp.Or(r.Host, r.URL.Host)}
		}
		slices.Sort(values)
		for _, v := range values {
			c.WriteString(name + ":" + strings.TrimSpace(v) + "\n")
		}
	}
	c.WriteString("\n" + strings.Join(signed, ";") + "\n" + cmp.Or(r.Header.Get(hashHeader), hexHash(body)))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + r.Header.Get(dateHeader) + "\n" + hexHash([]byte(c.String()))))
	return hex.EncodeToString(mac.Sum(nil))
}

// canonicalPath escapes each segment of a decoded path and makes it end with a slash.
func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.TrimSuffix(strings.Join(segments, "/"), "/") + "/"
}

func canonicalQuery(query map[string][]string) string {
	type pair struct{ key, value string }
	var pairs []pair
	for key, values := range query {
		for _, v := range values {
			pairs = append(pairs, pair{key, v})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value))
	})
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = escape(p.key) + "=" + escape(p.value)
	}
	return strings.Join(texts, "&")
}

// escape percent-encodes everything but RFC 3986's unreserved characters.
func escape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
