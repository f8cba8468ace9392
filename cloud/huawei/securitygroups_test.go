package huawei

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// vpcCalls has every action of the client that is VPC's, as calls has those of ECS.
var vpcCalls = map[string]struct {
	good string
	do   func(context.Context, *Client) error
}{
	"ListSecurityGroups": {`{"security_groups":[]}`, func(ctx context.Context, c *Client) error {
		return c.EachSecurityGroup(ctx, nil, func(SecurityGroup) error { return nil })
	}},
	"ShowSecurityGroup": {`{"security_group":{"id":"g1","name":"web"}}`, func(ctx context.Context, c *Client) error {
		_, err := c.SecurityGroup(ctx, "g1")
		return err
	}},
	"ListPorts": {`{"ports":[]}`, func(ctx context.Context, c *Client) error {
		return c.ServersIn(ctx, "g1", func(string) error { return nil })
	}},
}

// expectedOfVPC is what the table of error codes in the API reference says, as expected for ECS.
var expectedOfVPC = map[string]verdict.Verdict{
	"429 APIGW.0308": throttled,
	"401 APIGW.0301": rejected, "401 APIGW.0303": rejected, "401 APIGW.0305": rejected,
	"403 APIGW.0302": rejected, "403 Pdp.0001": rejected, "401 EPS.0003": rejected,
	"404 APIGW.0101": rejected, "0 APIGW.0106": rejected,
	"502 ": transient, "503 ": transient, "504 APIGW.0201": transient, "504 ": transient,
	"404 VPC.0603": rejected, "404 VPC.9904": rejected,
	"400 VPC.0601": rejected, "400 VPC.2500": rejected, "400 VPC.9902": rejected, "400 VPC.0007": rejected,
	"401 VPC.0005": rejected, "401 VPC.0008": rejected, "401 VPC.0009": rejected,
	"403 VPC.0010": rejected, "403 VPC.2201": rejected, "403 VPC.2701": rejected,
	"404 VPC.0612": transient, "500 VPC.0602": transient, "500 VPC.0612": transient,
}

func TestEveryRuleOfVPCThroughTheSDK(t *testing.T) {
	var status int
	var said string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(status, said)(w, r) })
	tested := map[string]bool{}
	for _, rule := range vpcRules {
		name := fmt.Sprintf("%d %s", rule.Status, rule.Code)
		want, ok := expectedOfVPC[name]
		require.True(t, ok, "a rule that nobody expects: %s", name)
		require.False(t, tested[name], "a rule that an earlier one hides: %s", name)
		tested[name] = true
		if status = rule.Status; status == 0 {
			status = 400
		}
		said = body(rule.Code)
		for action, c := range vpcCalls {
			var e *verdict.Error
			require.ErrorAs(t, c.do(t.Context(), client), &e, action)
			assert.Equal(t, []any{want, rule.Code, status, action}, []any{e.Verdict, e.Code, e.Status, e.Op})
		}
	}
	assert.Len(t, tested, len(expectedOfVPC))
	for name, c := range vpcCalls {
		assert.NoError(t, c.do(t.Context(), serve(t, answer(200, c.good))), name)
		var e *verdict.Error
		require.ErrorAs(t, c.do(t.Context(), serve(t, answer(200, "{}"))), &e, "%s: an answer without the list is none", name)
	}
}

const secured = `
seed: 1
accounts: [{name: demo, accessKey: the-access-key, secretKey: the-secret-key, projectId: p1}]
huawei:
  flavors: [{id: f}]
  quotas: {groupsPerServer: 2}
  securityGroups: [{id: sg-web, name: web, rules: 7}, {id: sg-db, name: db}, {id: sg-log, name: log}]
  servers: [{id: s1, flavor: f, securityGroups: [web]}, {id: s2, flavor: f, nics: 2, securityGroups: [web, db]}]
  generate: [{name: many-%04d, count: 1100, flavor: f, securityGroups: [log]}]
`

// secure returns a client of a simulator.
func secure(t *testing.T) (*Client, *sim.Sim) {
	t.Helper()
	w, err := sim.ParseWorld([]byte(secured))
	require.NoError(t, err)
	s, err := sim.New(sim.Options{World: w})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return dial(t, server.URL), s
}

func TestServersGetIntoSecurityGroupsAndOut(t *testing.T) {
	c, s := secure(t)
	ids := func(server string) (ids []string) {
		groups, err := c.SecurityGroupsOf(t.Context(), server)
		require.NoError(t, err)
		for _, g := range groups {
			ids = append(ids, g.ID)
		}
		servers, err := c.Servers(t.Context(), []string{server})
		require.NoError(t, err)
		require.Equal(t, ids, servers[server].SecurityGroups, "both reads say the same")
		return ids
	}
	require.NoError(t, c.AddToSecurityGroup(t.Context(), "sg-db", "s1"))
	require.Equal(t, []string{"sg-web", "sg-db"}, ids("s1"))
	require.NoError(t, c.RemoveFromSecurityGroup(t.Context(), "sg-web", "s1"))
	require.Equal(t, []string{"sg-db"}, ids("s1"))
	truth, _ := s.Server("s1")
	require.Equal(t, []string{"sg-db"}, truth.SecurityGroups)

	for what, f := range map[string]struct {
		err  error
		want verdict.Verdict
	}{
		"its only group":       {c.RemoveFromSecurityGroup(t.Context(), "sg-db", "s1"), rejected},
		"not in it":            {c.RemoveFromSecurityGroup(t.Context(), "sg-log", "s1"), done},
		"a server that is not": {c.RemoveFromSecurityGroup(t.Context(), "sg-log", "none"), done},
		"no such group":        {c.AddToSecurityGroup(t.Context(), "none", "s1"), rejected},
		"one group too many":   {c.AddToSecurityGroup(t.Context(), "sg-log", "s2"), rejected},
		"an id that is a path": {c.AddToSecurityGroup(t.Context(), "sg-log", "s2/../s1"), rejected},
	} {
		var e *verdict.Error
		require.ErrorAs(t, f.err, &e, what)
		require.Equal(t, f.want, e.Verdict, what)
	}
}

func TestSecurityGroupsAreRead(t *testing.T) {
	c, _ := secure(t)
	g, err := c.SecurityGroup(t.Context(), "sg-web")
	require.NoError(t, err)
	require.Equal(t, SecurityGroup{ID: "sg-web", Name: "web", Rules: 7}, g)
	_, err = c.SecurityGroup(t.Context(), "none")
	var e *verdict.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, []any{rejected, 404, "VPC.9904"}, []any{e.Verdict, e.Status, e.Code})

	var names []string
	take := func(g SecurityGroup) error { names = append(names, g.Name); return nil }
	require.NoError(t, c.EachSecurityGroup(t.Context(), nil, take))
	require.Equal(t, []string{"web", "db", "log", "default"}, names)
	names = nil
	require.NoError(t, c.EachSecurityGroup(t.Context(), []string{"db", "none"}, take))
	require.Equal(t, []string{"db"}, names)

	var servers []string
	yield := func(server string) error { servers = append(servers, server); return nil }
	require.NoError(t, c.ServersIn(t.Context(), "sg-web", yield))
	require.Equal(t, []string{"s1", "s2"}, servers, "each once, with however many interfaces")
	servers = nil
	require.NoError(t, c.ServersIn(t.Context(), "sg-log", yield))
	require.Len(t, servers, 1100, "page after page")
}
