package alibaba

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestDeploymentSets(t *testing.T) {
	client, asked := recorded(t, `"DeploymentSets":{"DeploymentSet":[{"DeploymentSetId":"ds-1","DeploymentSetName":"n",
		"Strategy":"Availability","InstanceIds":{"InstanceId":["i-1"]},"InstanceAmount":1,"Capacities":{"Capacity":[
		{"ZoneId":"a","UsedAmount":1,"AvailableAmount":19},{"ZoneId":"b","AvailableAmount":0},{"ZoneId":"c"}]}}]},
		"TotalCount":1`)
	got, err := client.DeploymentSets(t.Context(), []string{"ds-1", "ds-2"})
	require.NoError(t, err)
	assert.Equal(t, map[string]DeploymentSet{"ds-1": {ID: "ds-1", Name: "n", Strategy: "Availability",
		Members: []string{"i-1"}, Room: map[string]int{"a": 19, "b": 0}}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeDeploymentSets"}, "DeploymentSetIds": {`["ds-1","ds-2"]`},
		"PageSize": {"50"}}}, *asked)
}

func TestDeploymentsOfInstances(t *testing.T) {
	client, asked := recorded(t, `"Instances":{"Instance":[{"InstanceId":"i-1","DeploymentSetId":"ds-1",
		"DeploymentSetGroupNo":3,"LocalStorageAmount":2}]}`)
	got, err := client.Instances(t.Context(), []string{"i-1"})
	require.NoError(t, err)
	assert.Equal(t, Instance{ID: "i-1", DeploymentSet: "ds-1", DeploymentGroup: 3, LocalDisks: 2}, got["i-1"])

	*asked = nil
	ctx := t.Context()
	require.NoError(t, client.PlaceInstance(ctx, "i-1", "ds-1", 0, true))
	require.NoError(t, client.PlaceInstance(ctx, "i-1", "ds-1", 2, false))
	require.NoError(t, client.DisplaceInstance(ctx, "i-1", "ds-1"))
	var sent []string
	for _, q := range *asked {
		sent = append(sent, q.Encode())
	}
	assert.Equal(t, []string{
		"Action=ModifyInstanceDeployment&DeploymentSetId=ds-1&Force=true&InstanceId=i-1",
		"Action=ModifyInstanceDeployment&DeploymentSetGroupNo=2&DeploymentSetId=ds-1&Force=false&InstanceId=i-1",
		"Action=ModifyInstanceDeployment&DeploymentSetId=ds-1&InstanceId=i-1&RemoveFromDeploymentSet=true",
	}, sent)
	require.Equal(t, verdict.Rejected, verdict.Of(client.DisplaceInstance(ctx, "i-1", "")))
}
