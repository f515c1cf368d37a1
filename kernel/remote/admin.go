package remote

import (
	"context"
)

// Sessions returns the kernels that run on the machine.
func (m Machine) Sessions(ctx context.Context) ([]Session, error) {
	return m.once(ctx, hello{Do: doList})
}

// Stop ends the kernels on the machine whose id begins with id, which are all
// where it is empty, and returns them as they were.
func (m Machine) Stop(ctx context.Context, id string) ([]Session, error) {
	return m.once(ctx, hello{Do: doStop, Session: id})
}

func (m Machine) once(ctx context.Context, h hello) ([]Session, error) {
	ln, a, err := m.open(ctx, h)
	if err != nil {
		return nil, err
	}
	ln.c.Close()
	if a.Error != "" {
		return nil, m.refused(a)
	}
	return a.Sessions, nil
}
