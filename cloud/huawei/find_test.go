package huawei

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// listing serves pages of servers by their marker and records what was asked for.
func listing(t *testing.T, pages map[string]string) (*Client, *[]url.Values) {
	var asked []url.Values
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query())
		answer(200, `{"count":3,"servers":[`+pages[r.URL.Query().Get("marker")]+`]}`)(w, r)
	}), &asked
}

// ids collects the ids of servers.
func ids(into *[]string) func(Server) error {
	return func(s Server) error {
		*into = append(*into, s.ID)
		return nil
	}
}

func TestFindServersReadsAllPages(t *testing.T) {
	client, asked := listing(t, map[string]string{"": row("a") + "," + row("b"), "b": row("c")})
	var got []string
	require.NoError(t, client.FindServers(t.Context(), "web-", ids(&got)))
	assert.Equal(t, []string{"a", "b", "c"}, got)
	assert.Equal(t, []url.Values{
		{"limit": {"100"}, "name": {"web-"}},
		{"limit": {"100"}, "name": {"web-"}, "marker": {"b"}},
		{"limit": {"100"}, "name": {"web-"}, "marker": {"c"}}, // a short page is not for sure the last
	}, *asked)
}

// To the cloud a name is a pattern.
func TestNamesThatWouldMeanSomethingElseAreNotAskedFor(t *testing.T) {
	for _, part := range []string{"", "a b", "(", "a+", "é", "[x]"} {
		client, asked := listing(t, nil)
		require.NoError(t, client.FindServers(t.Context(), part, ids(new([]string))))
		assert.Equal(t, []url.Values{{"limit": {"100"}}}, *asked, part)
	}
}

func TestFindServersEndsWithYield(t *testing.T) {
	client, asked := listing(t, map[string]string{"": row("a") + "," + row("b")})
	enough := errors.New("enough")
	require.ErrorIs(t, client.FindServers(t.Context(), "", func(Server) error { return enough }), enough)
	require.Len(t, *asked, 1)
	require.ErrorIs(t, client.EachServer(t.Context(), []string{"a", "b"}, func(Server) error { return enough }), enough)
}

func TestFindServersThatGoRoundInACircle(t *testing.T) {
	client := serve(t, answer(200, `{"servers":[`+row("a")+`]}`)) // a cloud that knows no markers
	err := client.FindServers(t.Context(), "", ids(new([]string)))
	assert.Equal(t, verdict.Transient, verdict.Of(err))
	assert.ErrorContains(t, err, "circle")
}

func TestFindServersFails(t *testing.T) {
	client := serve(t, answer(403, body("Ecs.0003")))
	assert.Equal(t, verdict.Rejected, verdict.Of(client.FindServers(t.Context(), "", ids(new([]string)))))
	assert.Equal(t, verdict.Rejected, verdict.Of(client.EachServer(t.Context(), []string{"a"}, ids(new([]string)))))
}

func TestEachServerKeepsTheOrder(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(200, `{"servers":[`+row("a")+`,`+row("c")+`]}`)(w, r)
	})
	var got []string
	require.NoError(t, client.EachServer(t.Context(), []string{"c", "b", "a"}, ids(&got)))
	assert.Equal(t, []string{"c", "a"}, got)
}

func TestTagMap(t *testing.T) {
	for tag, want := range map[string][2]string{"team=web": {"team", "web"}, "a.b=c.d": {"a.b", "c.d"}, "team.web": {"team", "web"},
		"team=": {"team", ""}, "team": {"team", ""}, "a=b=c": {"a", "b=c"}} {
		assert.Equal(t, map[string]string{want[0]: want[1]}, Server{Tags: []string{tag}}.TagMap(), fmt.Sprintf("%q", tag))
	}
}
