package metricstoreextension

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quantivista/monitoring/internal/componenthealth"
)

const (
	// superviseEvery is how often the disk and the TSDB's failures are looked at.
	superviseEvery = time.Second
	// slowestReopen bounds the pause between two attempts to open the TSDB again.
	slowestReopen = 30 * time.Second
)

// supervisor keeps a store working on a disk that fills up. A TSDB whose write-ahead log could not be written
// has to be closed and opened again before it takes samples: the log may be torn, and everything written behind
// a tear is lost by the next replay. It must also close while it can still flush what it has in memory.
//
// It is one goroutine, the only one to replace the store's database between Start and Shutdown.
type supervisor struct {
	store  *embeddedStore
	health *componenthealth.Reporter
	watch  failureWatch

	// closing is a database whose users have not all left.
	closing *database
	// unfinished is a database that could not flush when it was closed.
	unfinished *database
	// panics counts the databases that were given up half closed.
	panics atomic.Int64
	// nextReopen and pause space the attempts to open.
	nextReopen time.Time
	pause      time.Duration
}

// run ends with ctx, or once the store cannot go on.
func (s *supervisor) run(ctx context.Context) {
	ticker := time.NewTicker(s.store.superviseEvery)
	defer ticker.Stop()
	for {
		var broken <-chan struct{}
		if d := s.store.current.Load(); d != nil {
			broken = d.broken
		}
		select {
		case <-ctx.Done():
			return
		case <-broken:
		case <-ticker.C:
		}
		if ctx.Err() != nil { // Shutdown need not wait for a replay
			return
		}
		if err := s.look(ctx); err != nil {
			s.store.logger.Error("The metric store cannot go on", "err", err)
			s.health.Permanent(err)
			return
		}
	}
}

// look brings the database into the state that the disk allows. It gives errors that do not pass.
func (s *supervisor) look(ctx context.Context) error {
	space := s.store.space.report(s.store.cfg.Directory)
	d := s.store.current.Load()
	if d == nil {
		return s.reopen(space)
	}
	switch {
	case d.torn.Load():
		s.suspend(ctx, d, errBrokenLog)
		return s.reopen(space)
	case space.critical():
		s.suspend(ctx, d, space.error())
	case space.low():
		reason := space.error()
		d.shortage.Store(&reason)
		s.health.Report(reason)
	default:
		d.shortage.Store(nil)
		s.health.Report(s.watch.look(time.Now(), d.registry.value))
	}
	return nil
}

// suspend closes the database until it can be opened again.
func (s *supervisor) suspend(ctx context.Context, d *database, reason error) {
	s.store.logger.Error("The metric store closes its TSDB until the disk takes writes", "reason", reason)
	s.health.Report(reason)
	s.store.current.Store(nil)
	s.closing = d
	s.nextReopen, s.pause = time.Time{}, s.store.superviseEvery
	s.finishClosing(ctx)
}

// finishClosing waits for the last user of a suspended database.
func (s *supervisor) finishClosing(ctx context.Context) {
	err := s.closing.close(ctx)
	if errors.Is(err, errInUse) {
		return // ctx ended: Shutdown goes on from here
	}
	if err != nil {
		s.store.logger.Warn("The TSDB closed with an error", "err", err)
		if errors.Is(err, errCannotFlush) {
			s.panics.Add(1)
		} else {
			s.unfinished = s.closing
		}
	}
	s.closing = nil
}

// finishUnfinished ends what the close of a database left, now that there may be space. An error tells that there is
// still none: the database keeps its memory until then, so that no further one may be opened.
func (s *supervisor) finishUnfinished() error {
	if s.unfinished == nil {
		return nil
	}
	err := s.unfinished.finishClose()
	if isNoRoom(err) {
		return err
	}
	if err != nil {
		s.store.logger.Warn("The TSDB's files closed with an error", "err", err)
	}
	s.unfinished = nil
	return nil
}

// isNoRoom tells the errors of a full disk, a quota, and a limit on the size of files.
func isNoRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// reopen opens the database if there is room for a repair of its log. Errors of the operating system pass.
func (s *supervisor) reopen(space spaceReport) error {
	now := time.Now()
	if s.closing != nil || now.Before(s.nextReopen) {
		return nil
	}
	if !space.fits(lastSegmentSize(s.store.cfg.Directory)) {
		s.health.Report(space.error())
		return nil
	}
	err := s.finishUnfinished()
	if err == nil {
		err = s.open()
	}
	if err == nil {
		s.store.logger.Info("The metric store has opened its TSDB again")
		s.health.Report(nil)
		return nil
	}
	var system syscall.Errno
	if !errors.As(err, &system) {
		return fmt.Errorf("open the TSDB again: %w", err)
	}
	s.store.logger.Warn("The TSDB does not open yet", "err", err)
	s.health.Report(err)
	s.pause = min(2*s.pause, slowestReopen)
	s.nextReopen = now.Add(s.pause)
	return nil
}

// open the database for all to use.
func (s *supervisor) open() error {
	d, err := openDatabase(s.store.tsdbOptions(), s.store.cfg.Directory, s.store.openings.Add(1), s.store.logger)
	if err == nil {
		s.store.current.Store(d)
	}
	return err
}
