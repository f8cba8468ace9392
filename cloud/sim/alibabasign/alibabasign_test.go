package alibabasign_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
)

var (
	now   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	plain = alibabasign.Key{Access: "AK", Secret: "SK"}
	sts   = alibabasign.Key{Access: "STS.AK", Secret: "SK2", Token: "TO+KEN="}
)

func gateway() *alibabasign.Gateway {
	return alibabasign.NewGateway(func(access string) (alibabasign.Key, bool) {
		key, ok := map[string]alibabasign.Key{plain.Access: plain, sts.Access: sts}[access]
		return key, ok
	})
}

const body = `{"a":1}`

func request(style alibabasign.Style) *http.Request {
	target := "http://ecs.example:8080/clusters/c-1/x%20y*~?Name=a+b%2A~%C3%A9&Empty="
	if style == alibabasign.RPC {
		target = "http://ecs.example:8080/?Action=DescribeInstances&Name=a+b%2A~%C3%A9&Empty="
	}
	r := httptest.NewRequest(http.MethodPost, target, nil)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if style != alibabasign.RPC {
		r.Header.Set("x-acs-action", "AttachInstances")
		r.Header.Set("x-acs-version", "2015-12-15")
	}
	return r
}

func styles(t *testing.T, test func(*testing.T, alibabasign.Style)) {
	for name, style := range map[string]alibabasign.Style{"RPC": alibabasign.RPC, "ROA": alibabasign.ROA,
		"TeaROA": alibabasign.TeaROA, "ACS3": alibabasign.ACS3} {
		t.Run(name, func(t *testing.T) { test(t, style) })
	}
}

func signed(style alibabasign.Style, key alibabasign.Key, at time.Time) *http.Request {
	r := request(style)
	alibabasign.Sign(style, r, []byte(body), key, at)
	return r
}

func TestAccepted(t *testing.T) {
	styles(t, func(t *testing.T, style alibabasign.Style) {
		for _, key := range []alibabasign.Key{plain, sts} {
			for _, skew := range []time.Duration{0, -14 * time.Minute, 14 * time.Minute} {
				r := signed(style, key, now.Add(skew))
				require.Equal(t, style, alibabasign.StyleOf(r))
				access, refused := gateway().Verify(r, []byte(body), now)
				require.Nil(t, refused)
				require.Equal(t, key.Access, access)
			}
		}
	})
}

func TestRefused(t *testing.T) {
	styles(t, func(t *testing.T, style alibabasign.Style) {
		refused := func(r *http.Request, sent, code string, status int) {
			t.Helper()
			_, refused := gateway().Verify(r, []byte(sent), now)
			require.NotNil(t, refused)
			require.Equal(t, code, refused.Code)
			require.Equal(t, status, refused.Status)
		}
		wrong := plain
		wrong.Secret = "guess"
		refused(signed(style, wrong, now), body, "SignatureDoesNotMatch", 400)
		refused(signed(style, alibabasign.Key{Access: "nobody", Secret: "x"}, now), body, "InvalidAccessKeyId.NotFound", 404)
		refused(signed(style, plain, now.Add(16*time.Minute)), body, "InvalidTimeStamp.Expired", 400)
		refused(signed(style, plain, now.Add(-16*time.Minute)), body, "InvalidTimeStamp.Expired", 400)
		noToken, badToken := sts, sts
		noToken.Token, badToken.Token = "", "other"
		refused(signed(style, noToken, now), body, "MissingSecurityToken", 400)
		refused(signed(style, badToken, now), body, "InvalidSecurityToken.Malformed", 400)
		refused(request(style), body, "IncompleteSignature", 400)

		tampered := signed(style, plain, now)
		tampered.URL.RawQuery = strings.Replace(tampered.URL.RawQuery, "Name=a", "Name=b", 1)
		refused(tampered, body, "SignatureDoesNotMatch", 400)
		tampered = signed(style, plain, now)
		tampered.Method = http.MethodPut
		refused(tampered, body, "SignatureDoesNotMatch", 400)
		if style == alibabasign.RPC {
			return // it covers neither headers nor bodies other than forms
		}
		tampered = signed(style, plain, now)
		tampered.Header.Set("x-acs-action", "DeleteCluster")
		refused(tampered, body, "SignatureDoesNotMatch", 400)
		tampered = signed(style, plain, now)
		tampered.URL.Path = "/clusters/c-2"
		tampered.URL.RawPath = ""
		refused(tampered, body, "SignatureDoesNotMatch", 400)
		if style != alibabasign.TeaROA { // there nothing covers the body
			refused(signed(style, plain, now), body+" ", "SignatureDoesNotMatch", 400)
		}
	})
}

func TestReplay(t *testing.T) {
	styles(t, func(t *testing.T, style alibabasign.Style) {
		g, r := gateway(), signed(style, plain, now)
		_, refused := g.Verify(r, []byte(body), now)
		require.Nil(t, refused)
		_, refused = g.Verify(r, []byte(body), now.Add(time.Minute))
		if style == alibabasign.ROA { // it has no nonce: two equal requests are alike to the last bit
			require.Nil(t, refused)
			return
		}
		require.NotNil(t, refused)
		require.Equal(t, "SignatureNonceUsed", refused.Code)
	})
}

func TestReplayAtTheEdgeOfTime(t *testing.T) {
	g, r := gateway(), signed(alibabasign.ACS3, plain, now.Add(alibabasign.MaxSkew))
	_, refused := g.Verify(r, []byte(body), now)
	require.Nil(t, refused)
	for _, later := range []time.Duration{29 * time.Minute, 30 * time.Minute} {
		_, refused = g.Verify(r, []byte(body), now.Add(later))
		require.NotNil(t, refused, "it is remembered as long as it could pass")
		require.Equal(t, "SignatureNonceUsed", refused.Code)
	}
	_, refused = g.Verify(r, []byte(body), now.Add(31*time.Minute))
	require.Equal(t, "InvalidTimeStamp.Expired", refused.Code)
}

func TestForgeryUsesUpNoNonce(t *testing.T) {
	g, r := gateway(), signed(alibabasign.ACS3, plain, now)
	_, refused := g.Verify(r, []byte("forged"), now)
	require.Equal(t, "SignatureDoesNotMatch", refused.Code)
	_, refused = g.Verify(r, []byte(body), now)
	require.Nil(t, refused)
}

// TestKnownSignature checks against the example in the vendor's description of RPC signatures.
func TestKnownSignature(t *testing.T) {
	query := url.Values{"Timestamp": {"2016-02-23T12:46:24Z"}, "Format": {"XML"}, "AccessKeyId": {"testid"},
		"Action": {"DescribeRegions"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, "Version": {"2014-05-26"}, "SignatureVersion": {"1.0"}}
	r := httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil)
	at := time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC)
	alibabasign.Sign(alibabasign.RPC, r, nil, alibabasign.Key{Access: "testid", Secret: "testsecret"}, at)
	require.Equal(t, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", r.URL.Query().Get("Signature"))
}

func TestFormsAreSigned(t *testing.T) {
	form := "InstanceId.1=i-1&InstanceId.2=i-2"
	r := request(alibabasign.RPC)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	alibabasign.Sign(alibabasign.RPC, r, []byte(form), plain, now)
	_, refused := gateway().Verify(r, []byte(form), now)
	require.Nil(t, refused)
	require.Equal(t, "i-2", alibabasign.Params(r, []byte(form)).Get("InstanceId.2"))
	_, refused = gateway().Verify(r, []byte(form+"&InstanceId.3=i-3"), now)
	require.Equal(t, "SignatureDoesNotMatch", refused.Code)
	_, refused = gateway().Verify(r, []byte(form+"&Action=StopInstance"), now)
	require.Equal(t, "IncompleteSignature", refused.Code)
}

func TestUnsignedHeaderIsRefused(t *testing.T) {
	r := signed(alibabasign.ACS3, plain, now)
	r.Header.Set("x-acs-added", "1")
	_, refused := gateway().Verify(r, []byte(body), now)
	require.Equal(t, "IncompleteSignature", refused.Code)
}
