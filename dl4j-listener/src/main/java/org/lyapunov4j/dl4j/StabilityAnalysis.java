// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.gram.Isolation;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.dl4j.step.UnsupportedTrainingException;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The stability of a model as it is, without a listener: of one that was restored from a file, or
 * that is not being trained just now.
 *
 * <pre>{@code
 * AnalysisSettings settings = AnalysisSettings.standard().withBatchSize(32);
 * Checkpoint checkpoint = StabilityAnalysis.of(model, data, settings).run();
 * }</pre>
 *
 * <p><b>Which step.</b> The counters of the model's configuration, which survive saving, name the
 * step: with the counter t, learning rate, schedules and moments are those of step t. Inside {@code
 * iterationDone} of step t, where {@code CheckpointListener} saves every so many iterations, the
 * counter is still t, and the result for the saved model is that of a {@link LyapunovListener} at
 * iteration t, bit for bit. Deeplearning4j counts on after that, so that for a model saved at the
 * end of an epoch or after {@code fit} it is the step that comes next; {@link #iteration} names
 * another one.
 *
 * <p>The model is only read, but must not be trained meanwhile. One analysis may be run again, by
 * one thread at a time; several analyses of different models may run at once.
 */
public final class StabilityAnalysis {
  private final Model model;
  private final ProbeSet probe;
  private final AnalysisSettings settings;
  private String run = "analysis";
  private int iteration;
  private int epoch;
  private InstantSource clock = InstantSource.system();
  private BooleanSupplier cancelled = () -> false;

  private StabilityAnalysis(Model model, ProbeSet probe, AnalysisSettings settings) {
    this.model = Objects.requireNonNull(model, "model");
    this.probe = Objects.requireNonNull(probe, "probe");
    this.settings = Objects.requireNonNull(settings, "settings").requireFit(probe.size());
    iteration = ModelCounters.iteration(model);
    epoch = ModelCounters.epoch(model);
  }

  /**
   * An analysis with the {@linkplain AnalysisSettings#standard() default settings}, which tell no
   * batch size: enough for {@link #gram()}.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}; for an adaptive updater
   *     with the updater's state
   * @param data the examples, with labels, of which the Gram matrix is made; copied
   * @return an analysis
   */
  public static StabilityAnalysis of(Model model, DataSet data) {
    return of(model, data, AnalysisSettings.standard());
  }

  /**
   * An analysis.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}; for an adaptive updater
   *     with the updater's state
   * @param data the examples, with labels, of which the Gram matrix is made; copied
   * @param settings what is computed, with the batch size
   * @return an analysis
   * @throws IllegalArgumentException if there are too few examples for the settings
   */
  public static StabilityAnalysis of(Model model, DataSet data, AnalysisSettings settings) {
    return of(model, ProbeSet.of(data), settings);
  }

  /**
   * An analysis of a network of several inputs or outputs, with the default settings.
   *
   * @param model a {@code ComputationGraph}
   * @param data the examples, with labels, of which the Gram matrix is made; copied
   * @return an analysis
   */
  public static StabilityAnalysis of(Model model, MultiDataSet data) {
    return of(model, data, AnalysisSettings.standard());
  }

  /**
   * An analysis of a network of several inputs or outputs.
   *
   * @param model a {@code ComputationGraph}
   * @param data the examples, with labels, of which the Gram matrix is made; copied
   * @param settings what is computed, with the batch size
   * @return an analysis
   * @throws IllegalArgumentException if there are too few examples for the settings
   */
  public static StabilityAnalysis of(Model model, MultiDataSet data, AnalysisSettings settings) {
    return of(model, ProbeSet.of(data), settings);
  }

  /**
   * An analysis with a probe chosen from an iterator, or normalised, with the default settings.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @param probe the examples, with labels, of which the Gram matrix is made
   * @return an analysis
   */
  public static StabilityAnalysis of(Model model, ProbeSet probe) {
    return of(model, probe, AnalysisSettings.standard());
  }

  /**
   * An analysis with a probe chosen from an iterator, or normalised.
   *
   * @param model a {@code MultiLayerNetwork} or {@code ComputationGraph}
   * @param probe the examples, with labels, of which the Gram matrix is made
   * @param settings what is computed, with the batch size
   * @return an analysis
   * @throws IllegalArgumentException if there are too few examples for the settings
   */
  public static StabilityAnalysis of(Model model, ProbeSet probe, AnalysisSettings settings) {
    return new StabilityAnalysis(model, probe, settings);
  }

  /**
   * Another step than that of the model's iteration counter. For a model saved at the end of an
   * epoch or after {@code fit}, the counter less 1 is the step taken last.
   *
   * @param iteration at least 0
   * @return this
   */
  public StabilityAnalysis iteration(int iteration) {
    this.iteration = requireCount("iteration", iteration);
    return this;
  }

  /**
   * Another epoch than that of the model's counter, for learning rates that depend on it.
   *
   * @param epoch at least 0
   * @return this
   */
  public StabilityAnalysis epoch(int epoch) {
    this.epoch = requireCount("epoch", epoch);
    return this;
  }

  /**
   * The name of the run in the result.
   *
   * @param run default {@code analysis}
   * @return this
   */
  public StabilityAnalysis run(String run) {
    if (run.isBlank()) {
      throw new IllegalArgumentException("the run needs a name, got '" + run + "'");
    }
    this.run = run;
    return this;
  }

  /**
   * The clock of the result's time.
   *
   * @param clock default the system's
   * @return this
   */
  public StabilityAnalysis clock(InstantSource clock) {
    this.clock = Objects.requireNonNull(clock, "clock");
    return this;
  }

  /**
   * A cancellation check, asked between the parts of the analysis, the tiles of the Gram matrix and
   * the epochs of sampling, from several threads.
   *
   * @param cancelled true to stop
   * @return this
   */
  public StabilityAnalysis cancelled(BooleanSupplier cancelled) {
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
    return this;
  }

  /**
   * The training step, as read from the model.
   *
   * @return the step with what was assumed; at {@link org.lyapunov4j.dl4j.step.Level.Observed}
   *     where it has no linearisation
   * @throws IllegalStateException if the batch size was not told
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public TrainingStep step() {
    int batchSize =
        settings
            .batchSize()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the batch size must be told, since no model holds it, got none; give"
                            + " AnalysisSettings.withBatchSize(B), with the number of examples for"
                            + " gradient descent"));
    try (Isolation isolation = Isolation.begin()) {
      return steps().read(model, iteration, epoch, batchSize);
    }
  }

  /**
   * The Gram matrix alone, with the weights of the parameters and the fixed norms that go with the
   * step.
   *
   * @return the matrix, curvature-weighted
   * @throws UnsupportedTrainingException naming the setting of the model that has no linearisation,
   *     and hence no weights
   * @throws IllegalArgumentException if a layer, loss or shape is not supported, the memory budget
   *     is too small or the matrix is not finite
   * @throws CancellationException if it was cancelled
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public NtkGramResult gram() {
    StepReader reader = new StepReader(MiniBatchSampling.IID_SUBSETS);
    try (Isolation isolation = Isolation.begin();
        NtkGram gram = NtkGram.builder(model).probe(probe.data()).cancelled(cancelled).build();
        INDArray parameterWeights = reader.parameterWeights(model, iteration, epoch).orElse(null)) {
      return gram.compute(model.params(), parameterWeights, reader.fixedNorms(model).orElse(null));
    }
  }

  /**
   * Analyses.
   *
   * @return what a listener would have found; its mini-batch loss is NaN, since there was no step
   *     to see, and it has no window of a trajectory
   * @throws IllegalStateException if the batch size was not told, or the state of an adaptive
   *     updater is missing
   * @throws IllegalArgumentException if the data do not fit the model or the matrix is not finite
   * @throws CancellationException if it was cancelled
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public Checkpoint run() {
    TrainingStep step = step();
    CheckpointEngine.Settings all =
        new CheckpointEngine.Settings(
            run,
            settings,
            null,
            new EdgeTracker(Optional.empty()),
            new Deadline(cancelled),
            false,
            stage -> {});
    try (Isolation isolation = Isolation.begin();
        CheckpointEngine stability = new CheckpointEngine(all, model, probe.data());
        Snapshot snapshot =
            new Snapshot(
                iteration,
                epoch,
                clock.instant(),
                Double.NaN,
                settings.tier(),
                step,
                steps().parameterWeights(model, iteration, epoch, step).orElse(null),
                steps().decays(model, iteration, epoch, step).orElse(null),
                steps().fixedNorms(model, step).orElse(null),
                steps().normalisations(model),
                model.params().dup(),
                null)) {
      return stability.evaluate(snapshot);
    }
  }

  private StepOnProbe steps() {
    return new StepOnProbe(settings.sampling().orElse(null), probe.size(), false);
  }

  private static int requireCount(String name, int value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must be at least 0, got " + value);
    }
    return value;
  }
}
