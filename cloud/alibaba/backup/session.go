package backup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// atOnce is how many instances are asked for their disks at the same time: there is no read for many.
const atOnce = 10

// Session is the I/O of one activity attempt: the part of a kind's session that has to do with disks.
type Session struct {
	client  *alibaba.Client
	program *membership.Program
	wanted  bool
	members map[string]*membership.Member // of the program
	// seen is the last observation. What was complete in it is complete, and is not read again. Only Observe writes it.
	seen *Evidence
	// kept are the snapshots with each tag, as last read. Only Observe uses them.
	kept map[alibaba.Tag]listed
}

// listed are the snapshots with a tag, as they were then.
type listed struct {
	at        time.Time
	snapshots []alibaba.Snapshot
}

// refresh is how long a list of snapshots is used. That of a page has many pages, and with it an observation would be too
// old to act on each time; the writes that rest on it carry tokens, so that it may be a little old.
const refresh = 5 * time.Second

// Open prepares the I/O for a program, which is nil while it is being planned. Where no backup is wanted it reads disks and
// makes nothing.
func Open(client *alibaba.Client, program *membership.Program, wanted bool) *Session {
	s := &Session{client: client, program: program, wanted: wanted, seen: &Evidence{}, kept: make(map[alibaba.Tag]listed)}
	s.members = make(map[string]*membership.Member)
	if program != nil {
		for i := range program.Members {
			s.members[program.Members[i].ID] = &program.Members[i]
		}
	}
	return s
}

// Observe reads the disks of the members and the backups of the run. For planning the disks are read by instance; later
// on it is enough to see what became of the system disk that each had.
func (s *Session) Observe(ctx context.Context, look membership.Look) (*Evidence, error) {
	if look.Thorough {
		return s.plan(ctx, look.Members)
	}
	e := &Evidence{Images: s.seen.Images}
	members, systems := s.remembered(look.Members)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		if len(systems) > 0 {
			e.Disks, err = s.client.Disks(readCtx, systems)
		}
		return err
	})
	reads.Go(func() (err error) {
		if s.wanted {
			e.Snapshots, err = s.snapshots(readCtx, members)
		}
		return err
	})
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	if s.wanted && e.lacksImage(members) {
		var images []alibaba.Image
		for _, t := range s.origins(members) {
			some, err := s.client.ImagesTagged(ctx, t)
			if err != nil {
				return nil, err
			}
			images = append(images, some...)
		}
		e.Images = s.furthestImages(images, members)
	}
	s.seen = e
	return e, nil
}

// plan reads the disks that are attached to each instance.
func (s *Session) plan(ctx context.Context, instances []string) (*Evidence, error) {
	e := &Evidence{Attached: make(map[string][]alibaba.Disk), Disks: make(map[string]alibaba.Disk)}
	var mu sync.Mutex
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(atOnce)
	for _, id := range instances {
		reads.Go(func() error {
			disks, err := s.client.DisksOf(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			e.Attached[id] = disks
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return e, nil
}

// remembered returns those of the members of whom the program knows disks, and their system disks.
func (s *Session) remembered(ids []string) (members []*membership.Member, systems []string) {
	for _, id := range ids {
		if m := s.members[id]; m != nil && m.Before[FactSystemDisk] != "" {
			members = append(members, m)
			systems = append(systems, m.Before[FactSystemDisk])
		}
	}
	return members, systems
}

// due returns the tags that are to be read for the members some disk of which has no snapshot that is known to be
// complete: that of their part and, for those that were made before there were parts, that of the whole run.
func (s *Session) due(members []*membership.Member) (tags []alibaba.Tag) {
	for _, m := range members {
		if !s.seen.lacksSnapshot(m) {
			continue
		}
		for _, t := range []alibaba.Tag{partTag(origin(s.program, m), m.ID), tag(origin(s.program, m))} {
			if time.Since(s.kept[t].at) >= refresh && !slices.Contains(tags, t) {
				tags = append(tags, t)
			}
		}
	}
	return tags
}

// snapshots finds the snapshots of the members' disks, and reads no more than it has to.
func (s *Session) snapshots(ctx context.Context, members []*membership.Member) (map[string]alibaba.Snapshot, error) {
	for _, t := range s.due(members) {
		snapshots, err := s.client.SnapshotsTagged(ctx, t)
		if err != nil {
			return nil, err
		}
		s.kept[t] = listed{time.Now(), snapshots}
	}
	var all []alibaba.Snapshot
	for _, l := range s.kept {
		all = append(all, l.snapshots...)
	}
	return furthestSnapshots(all), nil
}

// origins returns the tags of the members' images: one, but for members whose stories began under several programs.
func (s *Session) origins(members []*membership.Member) (tags []alibaba.Tag) {
	for _, m := range members {
		if t := tag(origin(s.program, m)); !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// lacksSnapshot reports whether some disk of a member has no snapshot that is known to be complete.
func (e *Evidence) lacksSnapshot(m *membership.Member) bool {
	return slices.ContainsFunc(disksOf(m), func(disk string) bool {
		return e.Snapshots[disk].Status != alibaba.SnapshotAccomplished
	})
}

// lacksImage reports whether some member has lost its system disk, so that an image of it may be under way, and none is
// known to be complete.
func (e *Evidence) lacksImage(members []*membership.Member) bool {
	for _, m := range members {
		if !e.attached(m) && e.Images[m.Before[FactSystemDisk]].Status != alibaba.ImageAvailable {
			return true
		}
	}
	return false
}

// furthestSnapshots finds the snapshot of each disk: of several, one that is complete, or else one that may become so. Of
// equals it is always the same, since what is made of it has a token.
func furthestSnapshots(all []alibaba.Snapshot) map[string]alibaba.Snapshot {
	rank := map[string]int{alibaba.SnapshotFailed: 1, alibaba.SnapshotProgressing: 2, alibaba.SnapshotAccomplished: 3}
	found := make(map[string]alibaba.Snapshot, len(all))
	for _, s := range all {
		old, ok := found[s.Disk]
		if !ok || rank[s.Status] > rank[old.Status] || rank[s.Status] == rank[old.Status] && s.ID < old.ID {
			found[s.Disk] = s
		}
	}
	return found
}

// furthestImages does so for images, which are known by their names.
func (s *Session) furthestImages(all []alibaba.Image, members []*membership.Member) map[string]alibaba.Image {
	rank := map[string]int{alibaba.ImageFailed: -1, alibaba.ImageAvailable: 1}
	byName := make(map[string]alibaba.Image, len(all))
	for _, i := range all {
		if old, ok := byName[i.Name]; !ok || rank[i.Status] > rank[old.Status] {
			byName[i.Name] = i
		}
	}
	found := make(map[string]alibaba.Image, len(all))
	for _, m := range members {
		disk := m.Before[FactSystemDisk]
		if i, ok := byName[name(origin(s.program, m), disk)]; ok {
			found[disk] = i
		}
	}
	return found
}

// Do sends one write for one member. Its error is a *verdict.Error.
func (s *Session) Do(ctx context.Context, action string, m *membership.Member) error {
	p, disk := s.program, m.Before[FactSystemDisk]
	switch action {
	case ActSnapshot:
		return s.snapshot(ctx, m)
	case ActImage:
		from := s.seen.Snapshots[disk].ID
		_, err := s.client.CreateImage(ctx, from, name(origin(p, m), disk), token(p, action, disk), tag(origin(p, m)))
		return err
	case ActStop: // and not by force, which would cost what data disks have not yet been told
		return s.client.StopInstances(ctx, []string{m.ID}, false)[m.ID].Err
	case ActReplace:
		from := s.seen.Images[disk].ID
		_, err := s.client.ReplaceSystemDisk(ctx, m.ID, from, token(p, action, m.ID), m.Before[FactKeyPair])
		return err
	case ActStart:
		return s.client.StartInstances(ctx, []string{m.ID})[m.ID].Err
	default:
		return &verdict.Error{Verdict: verdict.Rejected, Op: action,
			Message: fmt.Sprintf("there is no backup action %q", action)}
	}
}

// snapshot begins what is missing. Where one call of several fails, those before it are seen the next time.
func (s *Session) snapshot(ctx context.Context, m *membership.Member) error {
	p := s.program
	for _, disk := range disksOf(m) {
		if s.seen.Snapshots[disk].ID != "" {
			continue
		}
		_, err := s.client.CreateSnapshot(ctx, disk, name(origin(p, m), disk), token(p, ActSnapshot, disk),
			partTag(origin(p, m), m.ID))
		if err != nil {
			return err
		}
	}
	return nil
}
