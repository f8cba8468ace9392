package connect

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"
)

// gbk is what a Chinese spreadsheet makes of a header, and no UTF-8.
const gbk = "\xca\xb5\xc0\xfdID"

// sent is what the other side reads of a message.
func sent[M proto.Message](t require.TestingT, message, into M) M {
	plain := encoding.GetCodecV2(grpcproto.Name)
	data, err := textCodec{plain}.Marshal(message)
	require.NoError(t, err)
	defer data.Free()
	require.NoError(t, plain.Unmarshal(data, into))
	return into
}

func TestTextThatIsNotUTF8IsSentAllTheSame(t *testing.T) {
	t.Parallel()
	failure := temporal.GetDefaultFailureConverter().ErrorToFailure(
		temporal.NewNonRetryableApplicationError("outer "+gbk, gbk, errors.New("cause "+gbk), "detail "+gbk))
	request := &workflowservice.RespondActivityTaskFailedRequest{Identity: gbk, Failure: failure,
		LastHeartbeatDetails: &commonpb.Payloads{Payloads: []*commonpb.Payload{{Data: []byte(gbk),
			Metadata: map[string][]byte{"encoding": []byte("json/plain"), gbk: []byte(gbk)}}}}}
	_, err := proto.Marshal(request)
	require.Error(t, err, "Temporal's own codec cannot send it")
	got := sent(t, request, &workflowservice.RespondActivityTaskFailedRequest{})
	const mended = "ʵ\ufffdID"
	require.Equal(t, mended, got.GetIdentity())
	require.Equal(t, "outer "+mended, got.GetFailure().GetMessage())
	require.Equal(t, mended, got.GetFailure().GetApplicationFailureInfo().GetType())
	require.Equal(t, "cause "+mended, got.GetFailure().GetCause().GetMessage())
	payload := got.GetLastHeartbeatDetails().GetPayloads()[0]
	require.Equal(t, gbk, string(payload.GetData()), "bytes stay what they are")
	require.Equal(t, gbk, string(payload.GetMetadata()[mended]))
	require.Equal(t, gbk, request.GetIdentity(), "who sends it may send it again, or look at it")
}

func TestTextThatIsUTF8IsSentAsItIs(t *testing.T) {
	t.Parallel()
	request := &workflowservice.StartWorkflowExecutionRequest{WorkflowId: "实例", Identity: "é\x00"}
	got := sent(t, request, &workflowservice.StartWorkflowExecutionRequest{})
	require.True(t, proto.Equal(request, got))
	_, err := textCodec{encoding.GetCodecV2(grpcproto.Name)}.Marshal("no message")
	require.ErrorContains(t, err, "want proto.Message")
}

// Wherever text stands in what goes to Temporal, however deep.
func TestNoTextIsForgotten(t *testing.T) {
	t.Parallel()
	for _, message := range []proto.Message{&workflowservice.RespondWorkflowTaskCompletedRequest{},
		&workflowservice.StartWorkflowExecutionRequest{}, &workflowservice.RecordActivityTaskHeartbeatRequest{},
		&workflowservice.SignalWithStartWorkflowExecutionRequest{}, &historypb.HistoryEvent{}, &failurepb.Failure{},
		&workflowservice.ListWorkflowExecutionsRequest{}, &workflowservice.PollActivityTaskQueueRequest{}} {
		rapid.Check(t, func(t *rapid.T) {
			m := message.ProtoReflect().New()
			fill(t, m, 4)
			got := sent(t, m.Interface(), m.New().Interface())
			everyText(got.ProtoReflect(), func(text string) { require.True(t, utf8.ValidString(text)) })
		})
	}
}

// fill sets some of a message's fields, with text that is seldom UTF-8.
func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if m.Descriptor().FullName() == (&anypb.Any{}).ProtoReflect().Descriptor().FullName() ||
			!rapid.Bool().Draw(t, "set") {
			continue
		}
		one := func(f protoreflect.FieldDescriptor, empty func() protoreflect.Value) (protoreflect.Value, bool) {
			switch {
			case f.Kind() == protoreflect.StringKind:
				return protoreflect.ValueOfString(string(rapid.SliceOfN(rapid.Byte(), 1, 3).Draw(t, "text"))), true
			case f.Message() != nil && depth > 0:
				v := empty()
				fill(t, v.Message(), depth-1)
				return v, true
			}
			return protoreflect.Value{}, false
		}
		switch {
		case field.IsMap():
			entries := m.Mutable(field).Map()
			if v, ok := one(field.MapValue(), entries.NewValue); ok && field.MapKey().Kind() == protoreflect.StringKind {
				key, _ := one(field.MapKey(), nil)
				entries.Set(key.MapKey(), v)
			}
		case field.IsList():
			list := m.Mutable(field).List()
			if v, ok := one(field, list.NewElement); ok {
				list.Append(v)
			}
		default:
			if v, ok := one(field, func() protoreflect.Value { return m.NewField(field) }); ok {
				m.Set(field, v)
			}
		}
	}
}

func everyText(m protoreflect.Message, see func(string)) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		one := func(f protoreflect.FieldDescriptor, v protoreflect.Value) {
			switch {
			case f.Message() != nil:
				everyText(v.Message(), see)
			case f.Kind() == protoreflect.StringKind:
				see(v.String())
			}
		}
		switch {
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
				one(field.MapKey(), key.Value())
				one(field.MapValue(), v)
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				one(field, value.List().Get(i))
			}
		default:
			one(field, value)
		}
		return true
	})
}
