package alibaba

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

var mark = Tag{"fleetjoin", "0123456789ab"}

const markRow = `{"TagKey":"fleetjoin","TagValue":"0123456789ab"}`

func TestCreateSnapshotAndImage(t *testing.T) {
	client, asked := recorded(t, `"SnapshotId":"s-1","ImageId":"m-1"`)
	snapshot, err := client.CreateSnapshot(t.Context(), "d-1", "fleetjoin-1", "token-1", mark, Tag{"a b", "ü&="})
	require.NoError(t, err)
	image, err := client.CreateImage(t.Context(), snapshot, "fleetjoin-2", "token-2", mark)
	require.NoError(t, err)
	assert.Equal(t, "m-1", image)
	assert.Equal(t, []url.Values{
		{"Action": {"CreateSnapshot"}, "DiskId": {"d-1"}, "SnapshotName": {"fleetjoin-1"}, "ClientToken": {"token-1"},
			"Tag.1.Key": {mark.Key}, "Tag.1.Value": {mark.Value}, "Tag.2.Key": {"a b"}, "Tag.2.Value": {"ü&="}},
		{"Action": {"CreateImage"}, "SnapshotId": {"s-1"}, "ImageName": {"fleetjoin-2"}, "ClientToken": {"token-2"},
			"Tag.1.Key": {mark.Key}, "Tag.1.Value": {mark.Value}},
	}, *asked)
}

func TestWhatWasMadeHasAnID(t *testing.T) {
	for _, id := range []string{`null`, `""`, `{}`, `"no id at all"`} {
		client := serve(t, answer(200, inBody(`"SnapshotId":`+id)))
		got, err := client.CreateSnapshot(t.Context(), "d-1", "n", "t")
		assert.Equal(t, verdict.Unknown, verdict.Of(err), id)
		assert.Empty(t, got)
	}
}

func TestSnapshotsTagged(t *testing.T) {
	client, asked := recorded(t, `"Snapshots":{"Snapshot":[
		{"SnapshotId":"s-1","SnapshotName":"n","SourceDiskId":"d-1","Status":"progressing","Progress":"85%","Usage":"none",
			"Tags":{"Tag":[`+markRow+`,{"Key":"other","Value":"way"}]}},
		{"SnapshotId":"s-2","Tags":{"Tag":[{"TagKey":"fleetjoin","TagValue":"of another run"}]}},{"SnapshotId":"s-3"}]}`)
	got, err := client.SnapshotsTagged(t.Context(), mark)
	require.NoError(t, err)
	assert.Equal(t, []Snapshot{{ID: "s-1", Name: "n", Disk: "d-1", Status: SnapshotProgressing, Progress: "85%",
		Tags: map[string]string{"fleetjoin": mark.Value, "other": "way"}}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeSnapshots"}, "Tag.1.Key": {mark.Key}, "Tag.1.Value": {mark.Value},
		"MaxResults": {"100"}}}, *asked)
}

func TestSnapshotsHavePages(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		assert.Equal(t, "100", q.Get("MaxResults"), "a page has 10 by default")
		n, next := 1, `,"NextToken":"more"`
		if q.Get("NextToken") == "more" {
			n, next = 2, ``
		}
		row := fmt.Sprintf(`{"SnapshotId":"s-%d","Tags":{"Tag":[%s]}}`, n, markRow)
		answer(200, inBody(`"Snapshots":{"Snapshot":[`+row+`]}`+next))(w, r)
	})
	got, err := client.SnapshotsTagged(t.Context(), mark)
	require.NoError(t, err)
	assert.Len(t, got, 2)
}

// The cloud lists 1,000 resources with a tag, and does not say that there are more.
func TestSnapshotsThatMayBeMoreThanAreListed(t *testing.T) {
	for n, want := range map[int]verdict.Verdict{999: "", 1000: verdict.Transient} {
		row := fmt.Sprintf(`{"SnapshotId":"s-1","Tags":{"Tag":[%s]}}`, markRow)
		client := serve(t, answer(200, inBody(`"Snapshots":{"Snapshot":[`+strings.Repeat(row+",", n-1)+row+`]}`)))
		got, err := client.SnapshotsTagged(t.Context(), mark)
		assert.Equal(t, want, verdict.Of(err), n)
		if want == "" {
			assert.Len(t, got, n)
			continue
		}
		assert.ErrorContains(t, err, "fleetjoin=0123456789ab")
		assert.Empty(t, got)
	}
}

func TestImagesTagged(t *testing.T) {
	client, asked := recorded(t, `"TotalCount":3,"Images":{"Image":[
		{"ImageId":"m-1","ImageName":"n","Status":"Creating","Tags":{"Tag":[`+markRow+`]},"DiskDeviceMappings":{
			"DiskDeviceMapping":[{"Type":"data","SnapshotId":"s-2"},{"Type":"system","SnapshotId":"s-1","Size":"40"}]}},
		{"ImageId":"m-2","Status":"Available","Tags":{"Tag":[`+markRow+`]}},{"ImageId":"m-3"}]}`)
	got, err := client.ImagesTagged(t.Context(), mark)
	require.NoError(t, err)
	tags := map[string]string{mark.Key: mark.Value}
	assert.Equal(t, []Image{{ID: "m-1", Name: "n", Status: ImageCreating, Snapshot: "s-1", Tags: tags},
		{ID: "m-2", Status: ImageAvailable, Tags: tags}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeImages"}, "Tag.1.Key": {mark.Key}, "Tag.1.Value": {mark.Value},
		"PageNumber": {"1"}, "PageSize": {"100"}, "ImageOwnerAlias": {"self"},
		"Status": {"Creating,Waiting,Available,UnAvailable,CreateFailed,Deprecated"}}}, *asked)
}

// imagePages serves what rows has for a page, as one page of a list of total images.
func imagePages(t *testing.T, total int, rows func(page int) []string) *Client {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		page, err := strconv.Atoi(r.URL.Query().Get("PageNumber"))
		assert.NoError(t, err)
		var found []string
		for _, id := range rows(page) {
			found = append(found, fmt.Sprintf(`{"ImageId":%q,"Tags":{"Tag":[%s]}}`, id, markRow))
		}
		answer(200, inBody(fmt.Sprintf(`"TotalCount":%d,"Images":{"Image":[%s]}`, total, strings.Join(found, ","))))(w, r)
	})
}

func TestPagesByNumber(t *testing.T) {
	for what, c := range map[string]struct {
		total int
		pages [][]string // what comes after the last is empty
		want  []string   // nil: an error
	}{
		"none":              {0, nil, []string{}},
		"one":               {2, [][]string{{"a", "b"}}, []string{"a", "b"}},
		"three":             {5, [][]string{{"a", "b"}, {"c", "d"}, {"e"}}, []string{"a", "b", "c", "d", "e"}},
		"more than said":    {1, [][]string{{"a", "b"}}, []string{"a", "b"}},
		"a row met twice":   {3, [][]string{{"a", "b"}, {"b", "c"}}, []string{"a", "b", "c"}},
		"a row missed":      {3, [][]string{{"a", "b"}}, nil},
		"always the same":   {3, [][]string{{"a"}, {"a"}, {"a"}, {"a"}}, nil},
		"rows without name": {3, [][]string{{"", ""}, {""}}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			client := imagePages(t, c.total, func(page int) []string {
				if page > len(c.pages) {
					return nil
				}
				return c.pages[page-1]
			})
			images, err := client.ImagesTagged(t.Context(), mark)
			if c.want == nil {
				assert.Equal(t, verdict.Transient, verdict.Of(err))
				assert.ErrorContains(t, err, "they changed while they were read")
				return
			}
			require.NoError(t, err)
			got := []string{}
			for _, i := range images {
				got = append(got, i.ID)
			}
			assert.Equal(t, c.want, got)
		})
	}
}
