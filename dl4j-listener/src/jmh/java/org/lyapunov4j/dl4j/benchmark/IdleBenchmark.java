// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.Schedule;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** {@code iterationDone} when nothing is due: time and allocation of a call. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class IdleBenchmark {
  @Param({"every", "logarithmic", "spike"})
  public String schedule;

  private MultiLayerNetwork network;
  private LyapunovListener listener;
  private int iteration = 1_000_001;

  public static void main(String[] args) throws RunnerException {
    new Runner(
            new OptionsBuilder()
                .include(IdleBenchmark.class.getName())
                .addProfiler(GCProfiler.class)
                .build())
        .run();
  }

  @Setup
  public void setUp() {
    Workload workload = Workload.of("mlp");
    network = workload.network().get();
    network.fit(workload.batches().get(0));
    listener =
        LyapunovListener.builder(workload.probe())
            .schedule(
                switch (schedule) {
                  case "logarithmic" -> Schedule.logarithmic(1);
                  case "spike" -> Schedule.onLossSpike();
                  default -> Schedule.everyIterations(1_000_000);
                })
            .build();
  }

  @TearDown
  public void tearDown() {
    listener.close();
  }

  @Benchmark
  public void iterationDone() {
    listener.iterationDone(network, iteration, 0);
    iteration = iteration == 1_900_000 ? 1_000_001 : iteration + 1;
  }
}
