package huawei

import (
	"context"
	"regexp"
	"slices"
	"strings"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
)

// serverPage is what the reference of ListServersDetails advises where there are many.
const serverPage = 100

// To the cloud the name of a filter is a regular expression: in anything but this it might be another text, or none. A
// period stands for any character, and so finds more than it should, which does no harm.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// FindServers yields the servers of the project, page by page, with at least all those whose name contains part; "" is
// every name. Tags are the caller's to compare: how the cloud writes and matches them differs between regions. A server
// that is made or deleted meanwhile may be missing.
func (c *Client) FindServers(ctx context.Context, part string, yield func(Server) error) error {
	limit := int32(serverPage)
	request := &model.ListServersDetailsRequest{Limit: &limit}
	if plainName.MatchString(part) {
		request.Name = &part
	}
	return pages(listServersDetails.name, func(marker string) (string, error) {
		if marker != "" {
			request.Marker = &marker
		}
		rows, err := c.listServers(ctx, request)
		if err != nil || len(rows) == 0 {
			return "", err
		}
		for i := range rows {
			if err := yield(newServer(&rows[i])); err != nil {
				return "", err
			}
		}
		return rows[len(rows)-1].Id, nil // a page may be shorter than was asked for; only an empty one is surely behind the last
	})
}

// EachServer yields the servers with these ids that exist, a hundred at a time.
func (c *Client) EachServer(ctx context.Context, ids []string, yield func(Server) error) error {
	for chunk := range slices.Chunk(ids, idsPerRead) {
		servers, err := c.Servers(ctx, chunk)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if server, ok := servers[id]; ok {
				if err := yield(server); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// TagMap returns the server's tags by key. Where a region writes "key.value", a key ends at its first period.
func (s Server) TagMap() map[string]string {
	tags := make(map[string]string, len(s.Tags))
	for _, tag := range s.Tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			key, value, _ = strings.Cut(tag, ".")
		}
		tags[key] = value
	}
	return tags
}

func (c *Client) listServers(ctx context.Context, request *model.ListServersDetailsRequest) ([]model.ServerDetail, error) {
	return call(ctx, c, listServersDetails, func(sdk *ecs.EcsClient) ([]model.ServerDetail, bool, error) {
		answer, err := sdk.ListServersDetails(request)
		if err != nil || answer.Servers == nil {
			return nil, false, err
		}
		return *answer.Servers, true, nil
	})
}
