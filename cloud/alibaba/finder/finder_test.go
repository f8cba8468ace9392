package finder

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
)

func TestOneEach(t *testing.T) {
	g := OneEach(map[string]string{"i-3": "a", "i-2": "b", "i-1": "a", "i-0": ""}, "a")
	assert.Equal(t, []string{"i-1", "i-3"}, g.In)
	assert.Empty(t, g.SecurityGroup)
	assert.Equal(t, []string{"b"}, g.Of(alibaba.Instance{ID: "i-2"}))
	assert.Empty(t, g.Of(alibaba.Instance{ID: "i-0"}), "a node of no pool")
	assert.Empty(t, g.Of(alibaba.Instance{ID: "i-9"}))
	assert.Empty(t, OneEach(map[string]string{"i-1": "a"}, "b").In)
}
