package alertmanagerextension

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// Alertmanager exchanges silences and notifications as protocol buffers, each behind its length as a varint.

type message interface {
	Marshal() ([]byte, error)
}

func delimited(m message) ([]byte, error) {
	data, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	return append(binary.AppendUvarint(nil, uint64(len(data))), data...), nil
}

var errTruncated = errors.New("a message is shorter than it says")

// each calls with every message of data.
func each(data []byte, read func([]byte) error) error {
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return errTruncated
		}
		if err := read(data[n : n+int(size)]); err != nil {
			return err
		}
		data = data[n+int(size):]
	}
	return nil
}

// readSilence reads one.
func readSilence(data []byte) (*silencepb.MeshSilence, error) {
	found := &silencepb.MeshSilence{}
	if err := each(data, found.Unmarshal); err != nil {
		return nil, fmt.Errorf("read a silence: %w", err)
	}
	if found.Silence == nil {
		return nil, errors.New("read a silence: it is empty")
	}
	return found, nil
}

func silenceEntry(data []byte) (alertmanager.Entry, error) {
	s, err := readSilence(data)
	if err != nil {
		return alertmanager.Entry{}, err
	}
	return alertmanager.Entry{Kind: alertmanager.KindSilence, Key: s.Silence.Id, UpdatedAt: s.Silence.UpdatedAt, ExpiresAt: s.ExpiresAt, Data: data}, nil
}

func notificationEntry(e *nflogpb.MeshEntry) (alertmanager.Entry, error) {
	data, err := delimited(e)
	r := e.Entry.Receiver
	return alertmanager.Entry{
		Kind: alertmanager.KindNotification, Key: fmt.Sprintf("%s:%s/%s/%d", e.Entry.GroupKey, r.GroupName, r.Integration, r.Idx),
		UpdatedAt: e.Entry.Timestamp, ExpiresAt: e.ExpiresAt, Data: data,
	}, err
}
