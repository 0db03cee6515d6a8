package lokiexporter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
)

// maxAnswer is how much of an answer is read. Loki tells about each line that it refuses.
const maxAnswer = 4 << 20

// pusher sends parcels to Loki. Safe for concurrent use.
type pusher struct {
	client    *http.Client
	url       string
	userAgent string
	buffers   sync.Pool // of *[]byte
}

// answer of Loki.
type answer struct {
	status     int
	retryAfter string
	text       string
	sent       int // bytes
}

// push sends one parcel. An error is one of the network, or of a body that cannot be written.
func (p *pusher) push(ctx context.Context, parcel *parcel) (answer, error) {
	body, err := p.encode(parcel)
	if err != nil {
		return answer{}, fmt.Errorf("encode a push to Loki: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", p.userAgent)
	if parcel.tenant != "" {
		request.Header.Set(tenantHeader, parcel.tenant)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("push to Loki: %w", err)
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, retryAfter: response.Header.Get("Retry-After"), sent: len(body)}
	if !accepted(response.StatusCode) {
		text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return answer{}, fmt.Errorf("read Loki's answer: %w", err)
		}
		a.text = string(bytes.TrimSpace(text))
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	return a, nil
}

// encode gives the body, in a slice of its own: the transport may still read it after the answer has come.
func (p *pusher) encode(parcel *parcel) ([]byte, error) {
	request := push.PushRequest{Streams: make([]push.Stream, len(parcel.streams))}
	for i := range parcel.streams {
		s := &parcel.streams[i]
		entries := make([]push.Entry, len(s.lines))
		for j := range s.lines {
			entries[j] = s.lines[j].entry
		}
		request.Streams[i] = push.Stream{Labels: s.labels, Entries: entries}
	}
	plain, compressed := p.buffer(), p.buffer()
	defer p.buffers.Put(plain)
	defer p.buffers.Put(compressed)
	size := request.Size()
	*plain = grow(*plain, size)
	if _, err := request.MarshalToSizedBuffer(*plain); err != nil {
		return nil, err
	}
	*compressed = grow(*compressed, snappy.MaxEncodedLen(size))
	return bytes.Clone(snappy.Encode(*compressed, *plain)), nil
}

func (p *pusher) buffer() *[]byte {
	if b, ok := p.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// grow gives a slice of n bytes.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
