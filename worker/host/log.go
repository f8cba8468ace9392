package host

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"
)

// noStacks is above every level: what fails here fails in a cloud or in Temporal, and our own stack does not tell where.
const noStacks = slog.Level(100)

// NewLogger writes zap's JSON or console lines; everything in the program logs through slog.
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("--log-level: %q: want debug, info, warn or error", level)
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	var encoder zapcore.Encoder
	switch format {
	case "json":
		encoder = zapcore.NewJSONEncoder(cfg)
	case "console":
		cfg.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = cleanMessages{zapcore.NewConsoleEncoder(cfg)}
	default:
		return nil, fmt.Errorf("--log-format: %q: want json or console", format)
	}
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), at)
	return slog.New(zapslog.NewHandler(core, zapslog.AddStacktraceAt(noStacks))), nil
}

// cleanMessages writes messages, which zap's console lines take as they are, without what would steer a terminal. All else
// is JSON there, too.
type cleanMessages struct{ zapcore.Encoder }

func (e cleanMessages) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	entry.Message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, entry.Message)
	return e.Encoder.EncodeEntry(entry, fields)
}

func (e cleanMessages) Clone() zapcore.Encoder { return cleanMessages{e.Encoder.Clone()} }
