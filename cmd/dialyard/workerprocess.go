package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"dialyard/dialplans"
	"dialyard/proto"
	"dialyard/worker"
	"dialyard/worker/jail"
)

// workerArgs starts this binary as a worker; workerCommand is what then runs.
func workerArgs(l worker.Limits) []string {
	return []string{"worker", "--memory-soft", strconv.FormatUint(l.MemorySoft, 10), "--memory-hard", strconv.FormatUint(l.MemoryHard, 10), "--jail", string(l.Jail)}
}

func workerCommand() *cobra.Command {
	var l worker.Limits
	cmd := &cobra.Command{
		Use: "worker", Short: "Run scripts for the server that started this process", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dialplans.OpenLane()
			return worker.Main(compile, l)
		},
	}
	cmd.Flags().Uint64Var(&l.MemorySoft, "memory-soft", 0, "bytes")
	cmd.Flags().Uint64Var(&l.MemoryHard, "memory-hard", 0, "bytes")
	cmd.Flags().StringVar((*string)(&l.Jail), "jail", string(jail.Off), "off, best-effort or require")
	return cmd
}

// compile is the script runtime as a worker knows it.
func compile(files map[string][]byte) (worker.Plan, *proto.ScriptError) {
	plan, err := dialplans.Compile(files)
	if err == nil {
		return scriptPlan{plan}, nil
	}
	if e := (*dialplans.Error)(nil); errors.As(err, &e) {
		return nil, e.Proto()
	}
	return nil, &proto.ScriptError{Message: err.Error()}
}

type scriptPlan struct{ *dialplans.Plan }

func (p scriptPlan) NewRun(start *proto.Start, host worker.Host, now time.Time) worker.Run {
	return scriptRun{dialplans.NewRun(start, host, now), p.Plan}
}

type scriptRun struct {
	*dialplans.Run
	plan *dialplans.Plan
}

func (r scriptRun) Execute() *proto.Done { return r.Run.Execute(r.plan) }
