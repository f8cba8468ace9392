package sim

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweiapi"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

type line struct{ method, path, action string }

func lines[S any](of []huaweiapi.Operation[S]) (all []line) {
	for _, o := range of {
		all = append(all, line{o.Method, o.Path, o.Action})
	}
	return all
}

// TestEveryServiceClaimsItsOwnRoutes: each operation that is called by its path is known by one service only, so that a new
// service can be added without a thought for the others.
func TestEveryServiceClaimsItsOwnRoutes(t *testing.T) {
	s, err := New(Options{})
	require.NoError(t, err)
	st := s.state.State
	all := map[string][]line{"ecs": lines(st.ECS.Operations()), "cce": lines(st.CCE.Operations()), "vpc": lines(st.VPC.Operations())}
	for _, o := range st.Alibaba.Operations() {
		if o.Path != "" {
			all["aliyun"] = append(all["aliyun"], line{o.Method, o.Path, o.Action})
		}
	}
	for owner, operations := range all {
		require.NotEmpty(t, operations)
		for _, o := range operations {
			path := regexp.MustCompile(`{\w+}`).ReplaceAllString(o.path, "x")
			var claimed []string
			for _, service := range st.services() {
				c := &wire.Call{HTTP: httptest.NewRequest(o.method, path, nil)}
				if mine, _ := service.Route(c); mine {
					claimed = append(claimed, service.Name())
				}
			}
			require.Equal(t, []string{owner}, claimed, "%s %s, %s", o.method, o.path, o.action)
		}
	}
}
