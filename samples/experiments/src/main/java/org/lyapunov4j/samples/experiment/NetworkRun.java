// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.samples.train.RunEnd;
import org.lyapunov4j.samples.train.TrainingRun;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/**
 * A network that is trained and watched.
 *
 * @param id unique
 * @param labels what the experiment calls it by; with data, learning rate and the like
 * @param configuration of the network, with its seed and updater
 * @param examples to train on
 * @param probe of the Gram matrix
 * @param plan how it is trained
 */
record NetworkRun(
    String id,
    Map<String, String> labels,
    MultiLayerConfiguration configuration,
    DataSet examples,
    DataSet probe,
    Plan plan)
    implements Run {
  /**
   * How a network is trained and watched.
   *
   * @param step batch size and sampling
   * @param iterations at most
   * @param tier of the checkpoints, that of the last step included
   * @param schedule of these checkpoints
   * @param horizon steps over which the residual is followed from each checkpoint; 0 for none
   * @param hessian whether the sharpness of the Hessian of the loss of all examples is measured at
   *     every checkpoint
   * @param enough the loss of a mini-batch at which training ends, one step later, which has a
   *     checkpoint; 0 for never
   * @param seed of mini-batches and estimates
   */
  record Plan(
      SgdStep step,
      int iterations,
      Tier tier,
      Schedule schedule,
      int horizon,
      boolean hessian,
      double enough,
      long seed) {}

  @Override
  public Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>(labels);
    settings.put("plan", plan.toString());
    settings.put("exponent", CheckpointSeries.EXPONENT);
    settings.put(
        "network",
        UUID.nameUUIDFromBytes(configuration.toJson().getBytes(StandardCharsets.UTF_8)).toString());
    return settings;
  }

  @Override
  public Measurements execute(Path record, Path state, BooleanSupplier stop) throws IOException {
    MultiLayerNetwork network = DenseNetwork.initialised(configuration.clone());
    Optional<RunState> before = RunState.read(state, settings(), network);
    if (before.isPresent()) {
      before.get().restoreEdge(record);
    } else {
      Files.deleteIfExists(record); // of a state that is of no use
    }
    try (CheckpointSeries series =
            new CheckpointSeries(network, plan.hessian() ? examples : null, probe);
        LyapunovListener listener = listener(record, series)) {
      TrainingRun training =
          new TrainingRun(network, examples, plan.step(), plan.iterations(), plan.seed());
      before.ifPresent(
          found -> {
            training.resumeAfter(found.position().iterations());
            series.resume(found.position().curves(), found.position().eigenpairs());
          });
      listener.note(labels);
      Keeper keeper = new Keeper(this, network, series, record, state);
      Ending ending = new Ending(plan.enough());
      RunEnd end =
          training.run(
              listener,
              (iteration, loss) -> {
                ending.see(loss, listener);
                keeper.see(iteration + 1);
              },
              () -> ending.isReached() || stop.getAsBoolean());
      if (end.reason() == RunEnd.Reason.INTERRUPTED && !ending.isReached()) {
        keeper.keep(end.iterations());
      }
      return measurements(end, listener, series);
    }
  }

  private Measurements measurements(
      RunEnd end, LyapunovListener listener, CheckpointSeries series) {
    // Where training diverged there is nothing left to be analysed.
    if (listener.failures() > 0 && end.reason() != RunEnd.Reason.DIVERGED) {
      throw new IllegalStateException(
          id + ": " + listener.failures() + " checkpoints failed; the log says why");
    }
    series.put("diverged", end.reason() == RunEnd.Reason.DIVERGED ? 1 : 0);
    series.put("iterations", end.iterations());
    series.put("loss", end.loss());
    return series.measurements();
  }

  private LyapunovListener listener(Path record, CheckpointSeries series) {
    AnalysisSettings settings =
        AnalysisSettings.of(plan.tier())
            .withSeed(plan.seed())
            .withBatchSize(plan.step().batchSize())
            .withSampling(plan.step().sampling())
            .withComparison(SizeComparison.NONE)
            .withHorizon(plan.horizon());
    return LyapunovListener.builder(probe)
        .settings(settings)
        .run(id)
        .schedule(plan.schedule())
        .record(record)
        .to(series::add)
        .build();
  }

  /** Keeps where a run stands, now and then and when it is cut short. */
  private static final class Keeper {
    private final NetworkRun run;
    private final MultiLayerNetwork network;
    private final CheckpointSeries series;
    private final Path record;
    private final Path state;
    private final Pause pause = new Pause();

    Keeper(
        NetworkRun run,
        MultiLayerNetwork network,
        CheckpointSeries series,
        Path record,
        Path state) {
      this.run = run;
      this.network = network;
      this.series = series;
      this.record = record;
      this.state = state;
    }

    void see(int iterations) {
      if (pause.isOver()) {
        keep(iterations);
      }
    }

    void keep(int iterations) {
      try {
        RunState.Position position =
            new RunState.Position(
                run.settings(),
                iterations,
                series.curves(),
                series.eigenpairs(),
                RunState.edge(record));
        new RunState(network, position).write(state);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A step after the loss has become small, so that there is a checkpoint where training ends. */
  private static final class Ending {
    private final double enough;
    private boolean isSmall;
    private boolean isReached;

    Ending(double enough) {
      this.enough = enough;
    }

    void see(double loss, LyapunovListener listener) {
      isReached = isSmall;
      if (enough > 0 && loss <= enough) {
        isSmall = true;
        listener.requestCheckpoint();
      }
    }

    boolean isReached() {
      return isReached;
    }
  }
}
