package membership

// Marks are where members stand, one byte each, by index into the program's members. A vector of marks is all that a
// page of members costs a history.
const (
	markForward = 'a' // 'a'+i: due at stage i; 'a'+len(stages): through
	markUndo    = 'A' // 'A'+i: due at the undo of stage i

	MarkAbsent = '.' // not part of this slice
	MarkFailed = '!' // failed; the note says where and why
	MarkParked = '?' // waits for a person; the note says where and why
	MarkUndone = '-' // everything that was attempted is undone
)

// Forward is the mark of a member that is due at stage i.
func Forward(i int) byte { return byte(markForward + i) }

// Backward is the mark of a member that is due at the undo of stage i.
func Backward(i int) byte { return byte(markUndo + i) }

// StageOf returns the stage that a mark stands for and whether it is being undone; ok is false for any other mark.
func StageOf(mark byte) (i int, undo, ok bool) {
	switch {
	case mark >= markForward && mark <= 'z':
		return int(mark - markForward), false, true
	case mark >= markUndo && mark <= 'Z':
		return int(mark - markUndo), true, true
	}
	return 0, false, false
}

// SliceInput asks an activity to walk some members through one lane for a while.
type SliceInput struct {
	Kind   string   `json:"kind"`
	Digest string   `json:"digest"` // the program, which the activity finds in the run's history
	Lane   Lane     `json:"lane"`
	Undo   bool     `json:"undo,omitempty"`
	For    Duration `json:"for"`
	Slice
}

// Slice is where some members of a program stand: what an activity is given, and what it hands back. It says where to
// start reading, and never that something need not be read.
type Slice struct {
	// Marks has one byte for each member of the program.
	Marks string `json:"marks"`
	// Sends has one digit for each member: the writes of its stage that may have reached the cloud.
	Sends string `json:"sends"`
	// Since has, for each member that is not MarkAbsent, the second after Program.Made in which it came to its stage.
	Since []int `json:"since,omitempty"`
	// Quiet is the second after Program.Made before which nothing is sent: an activity that died may have sent anything,
	// and what it sent must have come to show first.
	Quiet int `json:"quiet,omitempty"`
	// Jobs are the asynchronous jobs that the members' last writes started.
	Jobs []JobRef `json:"jobs,omitempty"`
	// Notes explain each member that has newly become MarkFailed or MarkParked. Only handed back.
	Notes []Note `json:"notes,omitempty"`
	// Hosts are those on which members were last seen, by their index, where the cloud tells. Only handed back.
	Hosts map[int]string `json:"hosts,omitempty"`
	// Retried: an attempt before this one died, and may have taken the members anywhere in the lane. Only handed back.
	Retried bool `json:"retried,omitempty"`
	// Trouble says why nothing could be observed at the end of the slice, "" when it could. Only handed back.
	Trouble string `json:"trouble,omitempty"`
}

// JobRef is a job and the members whose write started it.
type JobRef struct {
	ID      string `json:"id"`
	Members []int  `json:"members"`
}

// Note is why a member failed or waits.
type Note struct {
	Member    int    `json:"member"`
	Stage     int    `json:"stage"`
	Undo      bool   `json:"undo,omitempty"`
	Code      string `json:"code"`
	Reason    string `json:"reason"`
	RequestID string `json:"requestId,omitempty"`
}

// AddJob notes that a job was started for the member with that index.
func (s *Slice) AddJob(id string, member int) {
	for i := range s.Jobs {
		if s.Jobs[i].ID == id {
			s.Jobs[i].Members = append(s.Jobs[i].Members, member)
			return
		}
	}
	s.Jobs = append(s.Jobs, JobRef{ID: id, Members: []int{member}})
}
