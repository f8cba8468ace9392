package alibaba

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire/wiretest"
)

func TestCheckPassword(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1")
	require.NoError(t, client.CheckPassword(goodPassword))
	for password, good := range map[string]bool{
		"Abcdefg1": true, "abcdefg1!": true, "ABCDEFG1!": true, "Abcdefg!": true, "Abcdef1!": true,
		strings.Repeat("Aa1", 10): true, "Aa1" + special[:27]: true, "Aa1-----": true,
		"Abcdef1": false, strings.Repeat("Aa1", 10) + "x": false, // too short, too long
		"abcdefgh": false, "abcdefg1": false, "ABCDEFG1": false, "12345678": false, "!!!!1111": false, // too few kinds
		`Abcdefg1"`: false, `Abcdefg1\`: false, "Abcdefg1é": false, "Äbcdefg1!": false, "Abcdefg1\x7f": false, "Abc defg1": false,
	} {
		t.Setenv("FLEETJOIN_PASSWORD_TRIED", password)
		err := client.CheckPassword(account.Source{Env: "FLEETJOIN_PASSWORD_TRIED"})
		if good {
			assert.NoError(t, err, password)
			continue
		}
		e := verdict.As(err)
		if assert.NotNil(t, e, password) {
			assert.Equal(t, verdict.Rejected, e.Verdict)
			assert.Contains(t, e.Message, "not sent: ")
			assert.NotContains(t, e.Error(), password)
		}
	}
	e := verdict.As(client.CheckPassword(account.Source{Env: "FLEETJOIN_TEST_SK"}))
	assert.Equal(t, &verdict.Error{Verdict: verdict.Rejected, Op: "CheckPassword", Message: `not sent: account "demo": the ` +
		`password cannot be read: env (not shown here) must be the name of a variable that begins with FLEETJOIN_PASSWORD_`}, e)
	t.Setenv("FLEETJOIN_PASSWORD_TRIED", "weak")
	assert.EqualError(t, client.CheckPassword(account.Source{Env: "FLEETJOIN_PASSWORD_TRIED"}),
		`CheckPassword: rejected: not sent: account "demo": the password is not one that the cloud takes: `+
			`8 to 30 characters, of three kinds at least of: `+
			"upper case, lower case, digits, and ()`~!@#$%^&*-_=+|{}[]:;'<>,.?/")
}

// sendPassword are the calls that send one.
var sendPassword = []string{"InsertClusterMember", "AttachInstances"}

// formsOfThePassword are all the ways in which somebody could write it.
func formsOfThePassword(t *testing.T) []string {
	inJSON, err := json.Marshal(thePassword)
	require.NoError(t, err)
	return []string{thePassword, url.QueryEscape(thePassword), url.PathEscape(thePassword), string(inJSON[1 : len(inJSON)-1])}
}

// The password is in the URL of one call and in the body of the other; nothing that comes back may bring it into an error.
func TestThePasswordIsInNoError(t *testing.T) {
	forms := formsOfThePassword(t)
	quoted, err := json.Marshal(strings.Join(forms, " or "))
	require.NoError(t, err)
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for what, handler := range map[string]http.HandlerFunc{
		"a message":             says(400, `{"Code":"X","Message":`+string(quoted)+`}`),
		"a message of EDAS":     says(200, `{"Code":500,"Message":`+string(quoted)+`}`),
		"a message of another":  says(400, `{"code":"X","message":`+string(quoted)+`}`),
		"a page":                says(502, `<html>`+strings.Join(forms, " ")+`</html>`),
		"a good page":           says(200, `<html>`+strings.Join(forms, " ")+`</html>`),
		"nothing":               says(200, ``),
		"nothing, and an error": says(500, ``),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example.com"+r.URL.String()+"&again="+url.QueryEscape(thePassword))
			w.WriteHeader(307)
		},
		"the whole request": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			content, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, "denied: "+r.Method+" "+r.URL.String()+" "+string(content))
		},
		"a dropped connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silence":              func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	} {
		client := serve(t, handler, func(c *Config) { c.CallTimeout = 200 * time.Millisecond })
		for _, name := range sendPassword {
			e := failure(t, client, name)
			for _, form := range forms {
				assert.NotContains(t, e.Error(), form, "%s: %s", what, name)
			}
			assert.NotContains(t, e.Error(), "Aa1", "%s: %s: not even its beginning", what, name)
		}
	}
}

// Below the call, the HTTP client's own errors have the URL and with it the password.
func TestAnErrorWithTheURLIsRedacted(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1", func(c *Config) {
		c.Transport = wiretest.RoundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("reset by peer")}
		})
	})
	for _, name := range sendPassword {
		e := failure(t, client, name)
		assert.Equal(t, verdict.Unknown, e.Verdict)
		assert.Equal(t, `Post "http://127.0.0.1:1/…": reset by peer`, e.Message)
	}
	panics := dial(t, "http://127.0.0.1:1", func(c *Config) {
		c.Transport = wiretest.RoundTripper(func(r *http.Request) (*http.Response, error) { panic(r.URL.RawQuery + thePassword) })
	})
	for _, name := range sendPassword {
		e := failure(t, panics, name)
		assert.Equal(t, verdict.Unknown, e.Verdict)
		assert.NotContains(t, e.Error(), "Aa1")
	}
}

// A code or a request id that looks like one is passed on, unless it is the password.
func TestAPasswordThatLooksLikeACode(t *testing.T) {
	client := serve(t, answer(400, `{"Code":"Looks.Like-1","Message":"Looks.Like-1","RequestId":"Looks.Like-1"}`))
	t.Setenv(goodPassword.Env, "Looks.Like-1")
	for _, name := range sendPassword {
		assert.NotContains(t, failure(t, client, name).Error(), "Looks")
	}
	client = serve(t, answer(202, `{"task_id":"T-1","list":[{"code":"400","instanceId":"i-1","message":"weak: Looks.Like-1"}]}`))
	t.Setenv(goodPassword.Env, "Looks.Like-1")
	_, refused, err := client.AttachInstances(t.Context(),
		Attach{Cluster: "c1", Pool: "np1", Instances: []string{"i-1"}, Password: &goodPassword})
	require.NoError(t, err)
	assert.Equal(t, "weak: …", refused["i-1"].Message)
}

func TestThePasswordIsReadAnew(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Data":""`))
	for _, password := range []string{"First-Password-1", "Second-Password-2"} {
		t.Setenv(goodPassword.Env, password)
		require.NoError(t, client.InsertEDASMembers(t.Context(), "c-1", []string{"i-1"}, goodPassword))
		assert.Equal(t, password, (*asked)[len(*asked)-1].query.Get("password"))
	}
}
