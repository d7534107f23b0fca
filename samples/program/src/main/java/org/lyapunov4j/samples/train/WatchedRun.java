// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** The run of the command {@code train}: a training run with its listener and those who follow. */
final class WatchedRun implements AutoCloseable {
  private final TrainSettings settings;
  private final DataSource source;
  private final Examples examples;
  private final DataSet all;
  private final MultiLayerNetwork network;
  private final List<RunObserver> observers;
  private final LyapunovListener listener;

  WatchedRun(
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
    all = examples.toDataSet(settings.network().type());
    network =
        DenseNetwork.initialised(
            settings
                .network()
                .configuration(
                    examples.inputWidth(),
                    examples.outputs(),
                    new Sgd(settings.step().learningRate()),
                    settings.seed()));
    listener = listener(name, registries, record);
  }

  private LyapunovListener listener(String name, List<MeterRegistry> registries, Path record) {
    AnalysisSettings analysis =
        AnalysisSettings.of(settings.tier())
            .withSeed(settings.seed())
            .withBatchSize(settings.step().batchSize())
            .withSampling(settings.step().sampling())
            .withComparison(SizeComparison.NONE); // the probe is all there is to train on
    LyapunovListener.Builder builder =
        LyapunovListener.builder(all).settings(analysis).run(name).frequency(settings.interval());
    registries.forEach(builder::registry);
    if (record != null) {
      builder.record(record);
    }
    for (RunObserver observer : observers) {
      builder.to(observer::checkpoint);
    }
    return builder.build();
  }

  RunEnd run(BooleanSupplier stop) throws IOException {
    RunDescription run = describe();
    listener.note(run.note());
    for (RunObserver observer : observers) {
      observer.started(run);
    }
    RunEnd end =
        new TrainingRun(network, all, settings.step(), settings.iterations(), settings.seed())
            .run(listener, this::stepped, stop);
    for (RunObserver observer : observers) {
      observer.ended(end);
    }
    return end;
  }

  private void stepped(int iteration, double loss) {
    for (RunObserver observer : observers) {
      observer.stepped(iteration, loss);
    }
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

  private RunDescription describe() {
    DenseNetwork layers = settings.network();
    return new RunDescription(
        source.toString(),
        examples.description(),
        examples.size(),
        layers.widths(examples.inputWidth(), examples.outputs()),
        layers.activation().toString(),
        layers.loss().toString(),
        network.numParams(),
        layers.type().toString(),
        settings.step().batchSize(),
        settings.step().toString(),
        settings.iterations(),
        settings.interval(),
        settings.seed());
  }
}
