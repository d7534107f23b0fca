// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.run.CheckpointRecord;
import org.lyapunov4j.samples.run.EndRecord;
import org.lyapunov4j.samples.run.RunRecord;
import org.lyapunov4j.samples.run.StabilityRecord;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Trains a fully connected network step by step, with a {@link LyapunovListener} attached. The
 * mini-batches are drawn by the same sampler that the analysis draws from, so what is reported is
 * the stability of the step that is really taken.
 */
final class TrainingRun {
  /** Keys of the independent random streams of a run. */
  private static final long BATCHES = 1;

  static final long EXAMPLES = 2;

  private final TrainSettings settings;
  private final DataSource source;
  private final Examples examples;
  private final DataSet all;
  private final MultiLayerNetwork network;
  private final List<RunObserver> observers;
  private final Queue<Checkpoint> fresh = new ArrayDeque<>();

  TrainingRun(
      TrainSettings settings,
      DataSource source,
      Examples examples,
      MeterRegistry registry,
      List<RunObserver> observers) {
    this.settings = settings;
    this.source = source;
    this.examples = examples;
    this.observers = List.copyOf(observers);
    all = examples.toDataSet(settings.type());
    network = new MultiLayerNetwork(configuration());
    network.init();
    network.setListeners(
        new LyapunovListener.Builder(all)
            .frequency(settings.interval())
            .batchSize(settings.step().batchSize())
            .sampling(settings.step().sampling())
            .analyzer(
                StabilityAnalyzer.builder().seed(settings.seed()).tier(settings.tier()).build())
            .registry(registry)
            .onCheckpoint(fresh::add)
            .build());
  }

  /**
   * Native threads that wait for each other made the default run five times as expensive on two
   * busy cores.
   */
  static void limitNativeThreads(int threads) {
    Nd4j.factory().blas().setMaxThreads(threads);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
  }

  /**
   * Trains until the planned steps are done, the loss is no longer finite, or {@code stop} says so.
   */
  EndRecord run(BooleanSupplier stop) throws IOException {
    long start = System.nanoTime();
    RunRecord run = describe();
    for (RunObserver observer : observers) {
      observer.started(run);
    }
    MiniBatchSampler sampler =
        new MiniBatchSampler(
            examples.size(),
            settings.step().batchSize(),
            settings.step().sampling(),
            new RandomStream(settings.seed()).split(BATCHES));
    int[] batch = new int[settings.step().batchSize()];
    EndRecord.Reason reason = EndRecord.Reason.COMPLETED;
    int iteration = 0;
    while (iteration < settings.iterations() && reason == EndRecord.Reason.COMPLETED) {
      network.fit(select(batch, sampler.next(batch)));
      double loss = network.score();
      for (RunObserver observer : observers) {
        observer.stepped(iteration, loss);
      }
      publishCheckpoints();
      iteration++;
      if (!Double.isFinite(loss)) {
        reason = EndRecord.Reason.DIVERGED;
      } else if (stop.getAsBoolean()) {
        reason = EndRecord.Reason.INTERRUPTED;
      }
    }
    EndRecord end =
        new EndRecord(
            "end", reason, iteration, network.score(all), (System.nanoTime() - start) * 1e-9);
    for (RunObserver observer : observers) {
      observer.ended(end);
    }
    return end;
  }

  private DataSet select(int[] batch, int size) {
    if (settings.step().isFullBatch(examples.size())) {
      return all;
    }
    int[] rows = Arrays.copyOf(batch, size);
    return new DataSet(
        Nd4j.pullRows(all.getFeatures(), 1, rows), Nd4j.pullRows(all.getLabels(), 1, rows));
  }

  private void publishCheckpoints() throws IOException {
    while (!fresh.isEmpty()) {
      Checkpoint checkpoint = fresh.remove();
      CheckpointRecord written =
          new CheckpointRecord(
              "checkpoint",
              checkpoint.iteration(),
              checkpoint.time(),
              network.score(all),
              checkpoint.loss(),
              checkpoint.gramTime().toMillis(),
              checkpoint.analysisTime().toMillis(),
              StabilityRecord.of(checkpoint.stability()));
      for (RunObserver observer : observers) {
        observer.checkpoint(written);
      }
    }
  }

  private MultiLayerConfiguration configuration() {
    NeuralNetConfiguration.ListBuilder layers =
        new NeuralNetConfiguration.Builder()
            .seed(settings.seed())
            .dataType(settings.type())
            .weightInit(WeightInit.XAVIER)
            .updater(new Sgd(settings.step().learningRate()))
            .list();
    List<Integer> widths = widths();
    for (int i = 1; i < widths.size() - 1; i++) {
      layers.layer(
          new DenseLayer.Builder()
              .nIn(widths.get(i - 1))
              .nOut(widths.get(i))
              .activation(settings.activation())
              .build());
    }
    return layers
        .layer(
            new OutputLayer.Builder(settings.loss())
                .nIn(widths.get(widths.size() - 2))
                .nOut(examples.outputs())
                .activation(Activation.IDENTITY)
                .build())
        .build();
  }

  private List<Integer> widths() {
    List<Integer> widths = new ArrayList<>();
    widths.add(examples.inputWidth());
    widths.addAll(settings.hidden());
    widths.add(examples.outputs());
    return widths;
  }

  private RunRecord describe() {
    return new RunRecord(
        "run",
        source.toString(),
        examples.description(),
        examples.size(),
        examples.outputs(),
        widths(),
        settings.activation().toString(),
        settings.loss().toString(),
        network.numParams(),
        settings.type().toString(),
        settings.step().learningRate(),
        settings.step().batchSize(),
        settings.step().sampling().id(),
        settings.step().toString(),
        settings.iterations(),
        settings.interval(),
        settings.seed(),
        Instant.now());
  }
}
