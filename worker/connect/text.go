package connect

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// validText makes sure that every call can be sent, whatever its text. Words come from files, clouds, people and
// environments; protocol buffers carry UTF-8 only, and headers ASCII. What cannot be sent is tried again for ever, and is
// never told. So all that goes to Temporal passes here: failures, summaries, details, identities, ids.
func validText() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(textCodec{encoding.GetCodecV2(grpcproto.Name)})),
		grpc.WithChainUnaryInterceptor(validHeaders),
	}
}

// validHeaders leaves out the header in which the SDK repeats the id of a workflow, where that is not ASCII: it is a hint
// for proxies, and the id stands in the message. Anybody can start a run with such an id.
func validHeaders(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	options ...grpc.CallOption) error {
	const hint = "temporal-resource-id"
	if headers, ok := metadata.FromOutgoingContext(ctx); ok && slices.ContainsFunc(headers.Get(hint), notPrintable) {
		headers.Delete(hint) // of a copy
		ctx = metadata.NewOutgoingContext(ctx, headers)
	}
	return invoke(ctx, method, request, reply, conn, options...)
}

// notPrintable reports whether gRPC refuses a value in a header.
func notPrintable(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// textCodec is gRPC's own codec, which finds out itself when a message has text that is not UTF-8.
type textCodec struct{ encoding.CodecV2 }

// Marshal sends a copy with mended text where the message itself cannot be sent.
func (c textCodec) Marshal(v any) (mem.BufferSlice, error) {
	data, err := c.CodecV2.Marshal(v)
	message, ok := v.(proto.Message)
	if err == nil || !ok {
		return data, err
	}
	message = proto.Clone(message)
	mend(message.ProtoReflect())
	return c.CodecV2.Marshal(message)
}

// mend puts U+FFFD in place of what is not UTF-8 in all text of a message.
func mend(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			mendMap(field, value.Map())
		case field.IsList():
			list := value.List()
			for i := range list.Len() {
				list.Set(i, mended(field, list.Get(i)))
			}
		default:
			m.Set(field, mended(field, value))
		}
		return true
	})
}

func mendMap(field protoreflect.FieldDescriptor, entries protoreflect.Map) {
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		entries.Clear(key)
		entries.Set(mended(field.MapKey(), key.Value()).MapKey(), mended(field.MapValue(), value))
		return true
	})
}

// mended returns a single value with its text mended; a message is mended in place.
func mended(field protoreflect.FieldDescriptor, value protoreflect.Value) protoreflect.Value {
	switch {
	case field.Message() != nil:
		mend(value.Message())
	case field.Kind() == protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.ToValidUTF8(value.String(), "\ufffd"))
	}
	return value
}
