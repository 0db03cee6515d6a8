package alert

import (
	"context"
	"sync"
)

// Receipt is how a receiver learns what became of alerts that it sends down a pipeline. It travels in the context: an
// exporter that stores alerts sees it, stores at once, past its queue, and fills it in before it returns.
//
// Contexts do not pass through queues and batches. Where nobody has filled in the receipt once the pipeline has taken
// the alerts, none of its exporters stores alerts synchronously.
type Receipt struct {
	mu      sync.Mutex
	records []Record
	filled  bool
}

type receiptKey struct{}

// WithReceipt asks for a receipt.
func WithReceipt(ctx context.Context) (context.Context, *Receipt) {
	r := &Receipt{}
	return context.WithValue(ctx, receiptKey{}, r), r
}

// ReceiptOf gives the receipt that is asked for; nil for none.
func ReceiptOf(ctx context.Context) *Receipt {
	r, _ := ctx.Value(receiptKey{}).(*Receipt)
	return r
}

// Fill in the alerts as they are stored now, in the order in which they came. The first one to do so holds.
func (r *Receipt) Fill(stored []Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.filled {
		r.records, r.filled = stored, true
	}
}

// Stored gives the alerts as they are stored. filled is false where nobody has stored them.
func (r *Receipt) Stored() (records []Record, filled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.records, r.filled
}
