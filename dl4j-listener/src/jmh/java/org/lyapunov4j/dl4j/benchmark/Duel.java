// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.StoppableClock;

/**
 * Trains two networks in turns, one with the listener and one with a listener that does nothing, so
 * that what slows the machine down slows both. The listener's clock stands still during the turns
 * of the other.
 */
final class Duel implements AutoCloseable {
  private static final int FEWEST_TURNS = 5;

  private final Workload workload;
  private final int turn;
  private final LongSupplier now;
  private final StoppableClock clock;
  private final AtomicInteger checkpoints = new AtomicInteger();
  private int counted;
  private final LyapunovListener listener;
  private final Timed timed;
  private final Side watched;
  private final Side control;

  /**
   * Two new networks.
   *
   * @param settings of the listener, but for its clock
   * @param turn steps of a turn
   * @param now nanoseconds of the clock that all is measured with
   */
  Duel(Workload workload, LyapunovListener.Builder settings, int turn, LongSupplier now) {
    this.workload = workload;
    this.now = now;
    clock = new StoppableClock(now);
    this.turn = turn;
    listener = clock.giveTo(settings).to(c -> checkpoints.incrementAndGet()).build();
    timed = new Timed(listener);
    watched = new Side(timed);
    control = new Side(new BaseTrainingListener() {});
  }

  /** Trains up to and including the next iteration with a checkpoint, and forgets all times. */
  void warmUp() {
    int goal = checkpoints.get() + 1;
    while (checkpoints.get() < goal) {
      trainUntil(goal);
    }
    clock.without(() -> control.train(turn));
    watched.reset();
    control.reset();
    timed.nanoseconds = 0;
    counted = checkpoints.get();
  }

  /** Whole cycles of the rest and the checkpoint that ends it. */
  void run(int cycles) {
    int goal = checkpoints.get() + cycles;
    for (int round = 0; checkpoints.get() < goal || round < FEWEST_TURNS; round++) {
      if (round % 2 == 0) {
        trainUntil(goal);
      }
      clock.without(() -> control.train(turn));
      if (round % 2 == 1) {
        trainUntil(goal);
      }
    }
  }

  private void trainUntil(int goal) {
    for (int t = 0; t < turn && checkpoints.get() < goal; t++) {
      watched.train(1);
    }
  }

  /** Time of a step with the listener over that of one without. */
  double ratio() {
    return watched.millis() / control.millis();
  }

  double controlMillis() {
    return control.millis();
  }

  double insideOverOutside() {
    return (double) timed.nanoseconds / (watched.nanoseconds - timed.nanoseconds);
  }

  /** The mean of all since the warm-up. */
  double checkpointMillis() {
    return timed.nanoseconds * 1e-6 / (checkpoints.get() - counted);
  }

  @Override
  public void close() {
    listener.close();
  }

  /** A network and the time its steps took. */
  private final class Side {
    private final MultiLayerNetwork network = workload.network().get();
    private long nanoseconds;
    private long steps;

    Side(BaseTrainingListener listener) {
      network.setListeners(listener);
    }

    void train(int count) {
      long start = now.getAsLong();
      workload.train(network, (int) (steps % workload.batches().size()), count);
      nanoseconds += now.getAsLong() - start;
      steps += count;
    }

    void reset() {
      nanoseconds = 0;
      steps = 0;
    }

    double millis() {
      return nanoseconds * 1e-6 / steps;
    }
  }

  /** Measures the time in {@code iterationDone}. */
  private final class Timed extends BaseTrainingListener {
    private final LyapunovListener listener;
    private long nanoseconds;

    Timed(LyapunovListener listener) {
      this.listener = listener;
    }

    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
      long start = now.getAsLong();
      listener.iterationDone(model, iteration, epoch);
      nanoseconds += now.getAsLong() - start;
    }
  }
}
