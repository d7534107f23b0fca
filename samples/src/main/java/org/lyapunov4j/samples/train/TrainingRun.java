// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Trains a fully connected network step by step, with a {@link LyapunovListener} attached. The
 * mini-batches are drawn by the same sampler that the analysis draws from, so what is reported is
 * the stability of the step that is really taken.
 */
final class TrainingRun implements AutoCloseable {
  /** Keys of the independent random streams of a run. */
  private static final long BATCHES = 1;

  static final long EXAMPLES = 2;

  private final TrainSettings settings;
  private final DataSource source;
  private final Examples examples;
  private final DataSet all;
  private final MultiLayerNetwork network;
  private final List<RunObserver> observers;
  private final LyapunovListener listener;

  TrainingRun(
      String name,
      TrainSettings settings,
      DataSource source,
      Examples examples,
      List<MeterRegistry> registries,
      Path record,
      List<RunObserver> observers) {
    this.settings = settings;
    this.source = source;
    this.examples = examples;
    this.observers = List.copyOf(observers);
    all = examples.toDataSet(settings.type());
    network = new MultiLayerNetwork(configuration());
    network.init();
    listener = listener(name, registries, record);
    network.setListeners(listener);
  }

  private LyapunovListener listener(String name, List<MeterRegistry> registries, Path record) {
    LyapunovListener.Builder builder =
        new LyapunovListener.Builder(all)
            .run(name)
            .frequency(settings.interval())
            .batchSize(settings.step().batchSize())
            .sampling(settings.step().sampling())
            .seed(settings.seed())
            .tier(settings.tier())
            .compareProbeSizes(false); // the probe is all there is to train on
    registries.forEach(builder::registry);
    if (record != null) {
      builder.record(record);
    }
    for (RunObserver observer : observers) {
      builder.onCheckpoint(observer::checkpoint);
    }
    return builder.build();
  }

  /**
   * Trains until the planned steps are done, the loss is no longer finite, or {@code stop} says so.
   * The last planned step has a checkpoint, whatever the interval.
   */
  RunEnd run(BooleanSupplier stop) throws IOException {
    long start = System.nanoTime();
    RunDescription run = describe();
    listener.note(run.note());
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
    RunEnd.Reason reason = RunEnd.Reason.COMPLETED;
    int iteration = 0;
    while (iteration < settings.iterations() && reason == RunEnd.Reason.COMPLETED) {
      if (iteration == settings.iterations() - 1) {
        listener.requestCheckpoint();
      }
      network.fit(select(batch, sampler.next(batch)));
      double loss = network.score();
      for (RunObserver observer : observers) {
        observer.stepped(iteration, loss);
      }
      iteration++;
      if (!Double.isFinite(loss)) {
        reason = RunEnd.Reason.DIVERGED;
      } else if (stop.getAsBoolean()) {
        reason = RunEnd.Reason.INTERRUPTED;
      }
    }
    RunEnd end =
        new RunEnd(reason, iteration, network.score(all), (System.nanoTime() - start) * 1e-9);
    listener.note(end.note());
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

  /** What was found so far. */
  List<Checkpoint> checkpoints() {
    return listener.history();
  }

  /** Ends the record and the metrics. */
  @Override
  public void close() {
    listener.close();
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

  private RunDescription describe() {
    return new RunDescription(
        source.toString(),
        examples.description(),
        examples.size(),
        widths(),
        settings.activation().toString(),
        settings.loss().toString(),
        network.numParams(),
        settings.type().toString(),
        settings.step().batchSize(),
        settings.step().toString(),
        settings.iterations(),
        settings.interval(),
        settings.seed());
  }
}
