package alibabasign

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Sign signs r in the style, with a fresh nonce where the style has one. The body is r's body as it will be sent; r's
// other headers and its query must be complete. A nonce that r already carries is kept.
func Sign(style Style, r *http.Request, body []byte, key Key, now time.Time) {
	switch style {
	case RPC:
		signRPC(r, body, key, now)
	case ROA, TeaROA:
		signROA(style, r, body, key, now)
	case ACS3:
		signACS3(r, body, key, now)
	}
}

func signRPC(r *http.Request, body []byte, key Key, now time.Time) {
	query := r.URL.Query()
	set := func(name, value string) {
		if !query.Has(name) {
			query.Set(name, value)
		}
	}
	set("SignatureNonce", rand.Text())
	set("SignatureMethod", "HMAC-SHA1")
	set("SignatureVersion", "1.0")
	set("Timestamp", now.UTC().Format(isoFormat))
	set("AccessKeyId", key.Access)
	if key.Token != "" {
		set("SecurityToken", key.Token)
	}
	r.URL.RawQuery = query.Encode()
	query.Set("Signature", hmacSHA1(stringToSign(RPC, r, body), key.Secret+"&"))
	r.URL.RawQuery = query.Encode()
}

func signROA(style Style, r *http.Request, body []byte, key Key, now time.Time) {
	set := setter(r)
	set("Accept", "application/json")
	set("Date", now.UTC().Format(http.TimeFormat))
	set("x-acs-signature-method", "HMAC-SHA1")
	set("x-acs-signature-version", "1.0")
	if style == ROA {
		sum := md5.Sum(body)
		set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	} else {
		set(nonceHeader, rand.Text())
	}
	if key.Token != "" {
		set(tokenHeader, key.Token)
	}
	r.Header.Set("Authorization", "acs "+key.Access+":"+hmacSHA1(stringToSign(style, r, body), key.Secret))
}

func signACS3(r *http.Request, body []byte, key Key, now time.Time) {
	set := setter(r)
	set(dateHeader, now.UTC().Format(isoFormat))
	set(nonceHeader, rand.Text())
	set(hashHeader, hexHash(body))
	if key.Token != "" {
		set(tokenHeader, key.Token)
	}
	signed := append(headersOf(r), "host")
	if r.Header.Get("Content-Type") != "" {
		signed = append(signed, "content-type")
	}
	slices.Sort(signed)
	r.Header.Set("Authorization", algorithm+" Credential="+key.Access+",SignedHeaders="+strings.Join(signed, ";")+
		",Signature="+hmacSHA256(canonical(r, signed), key.Secret))
}

// setter returns a function that sets headers which are not there yet.
func setter(r *http.Request) func(name, value string) {
	return func(name, value string) {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
}
