package huawei

import (
	"cmp"
	"context"
	"errors"
	"sync"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// groupReads are the readings of all server groups of the project. There is one at a time, and everybody who waits when it
// begins shares it: it tells nobody what was before they asked, and a fleet of thousands of cohorts in thousands of groups
// does not read all groups once for each cohort.
type groupReads struct {
	mu      sync.Mutex
	waiting []*groupReader
	reading bool
}

// groupReader is somebody who reads all groups.
type groupReader struct {
	ctx  context.Context
	done chan error

	mu    sync.Mutex
	yield func(Group) error // nil once it wants no more
	err   error             // of yield
}

// tell passes a group on, and reports whether the reader wants another.
func (r *groupReader) tell(g Group) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.yield == nil {
		return false
	}
	if r.err = r.yield(g); r.err != nil {
		r.yield = nil
	}
	return r.yield != nil
}

// leave ends what the reader is told. When it returns, yield runs no more.
func (r *groupReader) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.yield = nil
}

func (r *groupReader) wants() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.yield != nil && r.ctx.Err() == nil
}

// EachGroup yields all server groups of the project, a page at a time: together their members may be many. yield is not called
// any more once EachGroup has returned.
func (c *Client) EachGroup(ctx context.Context, yield func(Group) error) error {
	r := &groupReader{ctx: ctx, done: make(chan error, 1), yield: yield}
	c.groups.mu.Lock()
	c.groups.waiting = append(c.groups.waiting, r)
	if !c.groups.reading {
		c.groups.reading = true
		go c.readGroups()
	}
	c.groups.mu.Unlock()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		r.leave()
		return &verdict.Error{Verdict: verdict.Transient, Op: listServerGroups.name, Message: "cancelled while the groups were read"}
	}
}

// readGroups reads all groups for those who wait, again and again until nobody does.
func (c *Client) readGroups() {
	for {
		c.groups.mu.Lock()
		readers := c.groups.waiting
		c.groups.waiting = nil
		if c.groups.reading = len(readers) > 0; !c.groups.reading {
			c.groups.mu.Unlock()
			return
		}
		c.groups.mu.Unlock()
		err := c.readGroupsFor(readers)
		for _, r := range readers {
			r.mu.Lock()
			r.done <- cmp.Or(r.err, err)
			r.mu.Unlock()
		}
	}
}

// errNobody ends a reading that nobody wants any more.
var errNobody = errors.New("nobody reads the groups any more")

// readGroupsFor lives as long as one of the readers.
func (c *Client) readGroupsFor(readers []*groupReader) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(readers[0].ctx))
	defer cancel()
	wanted := func() bool {
		for _, r := range readers {
			if r.wants() {
				return true
			}
		}
		return false
	}
	for _, r := range readers {
		defer context.AfterFunc(r.ctx, func() {
			if !wanted() {
				cancel()
			}
		})()
	}
	type page struct {
		groups []Group
		next   string
	}
	limit := int32(groupPage)
	request := &model.ListServerGroupsRequest{Limit: &limit}
	err := pages(listServerGroups.name, func(marker string) (string, error) {
		if marker != "" {
			request.Marker = &marker
		}
		p, err := call(ctx, c, listServerGroups, func(sdk *ecs.EcsClient) (page, bool, error) {
			answer, err := sdk.ListServerGroups(request)
			if err != nil || answer.ServerGroups == nil {
				return page{}, false, err
			}
			var p page
			for _, g := range *answer.ServerGroups {
				p.groups = append(p.groups, Group{ID: g.Id, Name: g.Name, Policies: g.Policies, Members: g.Members})
			}
			if answer.PageInfo != nil && len(p.groups) > 0 {
				p.next = value(answer.PageInfo.NextMarker)
			}
			return p, true, nil
		})
		for _, g := range p.groups {
			more := false
			for _, r := range readers {
				more = r.tell(g) || more
			}
			if !more {
				return "", errNobody
			}
		}
		return p.next, err
	})
	if errors.Is(err, errNobody) {
		return nil
	}
	return err
}
