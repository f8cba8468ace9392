package alibaba

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
)

var (
	describeSnapshots = op{service: ecs, name: "DescribeSnapshots"}
	createSnapshot    = op{service: ecs, name: "CreateSnapshot", write: true}
	describeImages    = op{service: ecs, name: "DescribeImages"}
	createImage       = op{service: ecs, name: "CreateImage", write: true}
)

// Tag marks a resource, so that it is found again without its id.
type Tag struct{ Key, Value string }

// The statuses of a Snapshot.
const (
	SnapshotProgressing  = "progressing"
	SnapshotAccomplished = "accomplished"
	SnapshotFailed       = "failed"
)

// Snapshot is a copy of a disk at one moment.
type Snapshot struct {
	ID       string
	Name     string
	Disk     string // id; the disk may be gone
	Status   string // SnapshotProgressing, SnapshotAccomplished or SnapshotFailed
	Progress string // such as "85%"
	Tags     map[string]string
}

// The statuses of an Image that matter. There are more: "Waiting", "UnAvailable", "Deprecated".
const (
	ImageCreating  = "Creating"
	ImageAvailable = "Available"
	ImageFailed    = "CreateFailed"
)

// Without it, images that are not available are left out like those that do not exist.
const everyImageStatus = "Creating,Waiting,Available,UnAvailable,CreateFailed,Deprecated"

// Image is what systems are installed from.
type Image struct {
	ID       string
	Name     string
	Status   string // ImageCreating, ImageAvailable, ImageFailed, …
	Snapshot string // id of the snapshot that its system disk comes from; "" when the cloud does not say
	Tags     map[string]string
}

// tagRow is a tag in an answer. Which of the two pairs of names is used differs by action.
type tagRow struct{ Key, Value, TagKey, TagValue string }

// on tells whether the tag is among tags. What a filter lets through is looked at once more: a list that was not filtered
// would give a run the snapshots of others.
func (t Tag) on(tags map[string]string) bool {
	v, ok := tags[t.Key]
	return ok && v == t.Value
}

func tagsOf(rows []tagRow) map[string]string {
	tags := make(map[string]string, len(rows))
	for _, t := range rows {
		tags[cmp.Or(t.TagKey, t.Key)] = cmp.Or(t.TagValue, t.Value)
	}
	return tags
}

type snapshotRow struct {
	SnapshotID   string
	SnapshotName string
	SourceDiskID string
	Status       string
	Progress     string
	Tags         list[tagRow]
}

type imageRow struct {
	ImageID            string
	ImageName          string
	Status             string
	DiskDeviceMappings list[struct{ Type, SnapshotID string }]
	Tags               list[tagRow]
}

// CreateSnapshot begins a snapshot of a disk. It is done when its status is SnapshotAccomplished, and until then, the
// instance of the disk must not be stopped. The same token makes no second one.
func (c *Client) CreateSnapshot(ctx context.Context, disk, name, token string, tags ...Tag) (id string, err error) {
	if err := checkIDs(createSnapshot, disk); err != nil {
		return "", err
	}
	if err := checkNames(createSnapshot, name); err != nil {
		return "", err
	}
	return c.create(ctx, createSnapshot, "SnapshotId", map[string]string{"DiskId": disk, "SnapshotName": name}, token, tags)
}

// SnapshotsTagged reads all snapshots that have a tag, in the order of the cloud. Of so many that the list may end before
// the last one it reads none.
func (c *Client) SnapshotsTagged(ctx context.Context, t Tag) ([]Snapshot, error) {
	if err := checkTags(describeSnapshots, t); err != nil {
		return nil, err
	}
	rows, err := pages[snapshotRow](ctx, c, describeSnapshots, maxResults(tagged(map[string]string{}, t)), "Snapshots")
	if err != nil {
		return nil, err
	}
	if len(rows) >= mostTagged {
		return nil, &verdict.Error{Verdict: transient, Op: describeSnapshots.name, Message: fmt.Sprintf(
			"%d snapshots have the tag %s=%s, and the cloud lists no more: take it from those that are not needed",
			len(rows), t.Key, t.Value)}
	}
	var snapshots []Snapshot
	for _, r := range rows {
		tags := tagsOf(r.Tags)
		if t.on(tags) {
			snapshots = append(snapshots, Snapshot{ID: r.SnapshotID, Name: r.SnapshotName, Disk: r.SourceDiskID,
				Status: r.Status, Progress: r.Progress, Tags: tags})
		}
	}
	return snapshots, nil
}

// CreateImage begins an image of a snapshot of a system disk. It is done when its status is ImageAvailable. The same
// token makes no second one.
func (c *Client) CreateImage(ctx context.Context, snapshot, name, token string, tags ...Tag) (id string, err error) {
	if err := checkIDs(createImage, snapshot); err != nil {
		return "", err
	}
	if err := checkNames(createImage, name); err != nil {
		return "", err
	}
	return c.create(ctx, createImage, "ImageId", map[string]string{"SnapshotId": snapshot, "ImageName": name}, token, tags)
}

// ImagesTagged reads all images of the account that have a tag, whatever their status, in the order of the cloud.
func (c *Client) ImagesTagged(ctx context.Context, t Tag) ([]Image, error) {
	if err := checkTags(describeImages, t); err != nil {
		return nil, err
	}
	rows, err := byNumber(describeImages, func(r imageRow) string { return r.ImageID }, func(n int) ([]imageRow, int, error) {
		query := pageSize(perPage, tagged(map[string]string{
			"PageNumber": strconv.Itoa(n), "ImageOwnerAlias": "self", "Status": everyImageStatus}, t))
		type answer struct {
			Images     list[imageRow]
			TotalCount *int
		}
		a, err := call(ctx, c, describeImages, request{query: query},
			func(a *answer) bool { return a.Images != nil && a.TotalCount != nil })
		return a.Images, value(a.TotalCount), err
	})
	if err != nil {
		return nil, err
	}
	var images []Image
	for _, r := range rows {
		tags := tagsOf(r.Tags)
		if t.on(tags) {
			images = append(images, Image{ID: r.ImageID, Name: r.ImageName, Status: r.Status,
				Snapshot: r.systemSnapshot(), Tags: tags})
		}
	}
	return images, nil
}

func (r imageRow) systemSnapshot() string {
	for _, m := range r.DiskDeviceMappings {
		if m.Type == SystemDisk {
			return m.SnapshotID
		}
	}
	return ""
}

// create makes a call that makes something and answers with its id. The token keeps a repeat from making a second one.
func (c *Client) create(ctx context.Context, o op, made string, query map[string]string, token string, tags []Tag) (
	id string, err error,
) {
	if !clientToken.MatchString(token) {
		return "", refuse(o, "%q is no token; tokens have 1 to 64 letters, digits, '.', '_' and '-'", token)
	}
	if err := checkTags(o, tags...); err != nil {
		return "", err
	}
	query["ClientToken"] = token
	_, err = call(ctx, c, o, request{query: tagged(query, tags...)}, func(a *map[string]json.RawMessage) bool {
		id = wire.Token(text((*a)[made]))
		return id != ""
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

var clientToken = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkTags refuses tags that the cloud keeps for itself, and such as would match every resource.
func checkTags(o op, tags ...Tag) error {
	for _, t := range tags {
		if t.Key == "" || t.Value == "" || strings.HasPrefix(t.Key, "acs:") || strings.HasPrefix(t.Key, "aliyun") {
			return refuse(o, "%q=%q is no tag; tags have a key, which does not begin with acs: or aliyun, and a value",
				t.Key, t.Value)
		}
	}
	return nil
}

// tagged adds the parameters Tag.1.Key, Tag.1.Value, … to query.
func tagged(query map[string]string, tags ...Tag) map[string]string {
	for i, t := range tags {
		name := "Tag." + strconv.Itoa(i+1)
		query[name+".Key"], query[name+".Value"] = t.Key, t.Value
	}
	return query
}

// value is what a pointer of an answer points to, else the zero value.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
