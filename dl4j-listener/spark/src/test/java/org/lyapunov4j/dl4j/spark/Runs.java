// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.nativeblas.NativeOpsHolder;

/** A small training run with saved models, and what one JVM says of them. */
final class Runs {
  static final int BATCH = 4;
  static final int EPOCHS = 200;
  private static final Set<String> TIMES = Set.of("run", "time", "gramMillis", "analysisMillis");

  private Runs() {}

  static DataSet data(int examples, int inputs, long seed) {
    return new DataSet(gaussian(examples, inputs, seed), gaussian(examples, 1, seed + 1));
  }

  static MultiLayerNetwork network(int inputs, int hidden, long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .dataType(DataType.DOUBLE)
                .updater(new Nesterovs(0.01, 0.5))
                .list()
                .layer(
                    new DenseLayer.Builder()
                        .nIn(inputs)
                        .nOut(hidden)
                        .activation(Activation.TANH)
                        .build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(hidden)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }

  /** Models saved while one network trains, in a folder of its own. */
  static List<Path> save(Path folder, MultiLayerNetwork network, DataSet data, int count)
      throws IOException {
    Files.createDirectories(folder);
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      network.fit(data);
      Path file = folder.resolve("model-" + i + ".zip");
      ModelSerializer.writeModel(network, file.toFile(), true);
      Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.fromMillis(1000L * (i + 1)));
      files.add(file);
    }
    return files;
  }

  /** What one JVM says, with one native thread. */
  static CheckpointDocument alone(Path model, DataSet probe, Tier tier, long seed)
      throws IOException {
    return alone(ModelSerializer.restoreMultiLayerNetwork(model.toFile(), true), probe, tier, seed);
  }

  static CheckpointDocument alone(MultiLayerNetwork model, DataSet probe, Tier tier, long seed) {
    oneNativeThread();
    return CheckpointDocument.of(
        StabilityAnalysis.of(
                model,
                probe,
                AnalysisSettings.of(tier)
                    .withSeed(seed)
                    .withBatchSize(BATCH)
                    .withAnalyzer(settings -> settings.maxEpochs(EPOCHS)))
            .run());
  }

  static void oneNativeThread() {
    Nd4j.factory().blas().setMaxThreads(1);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
  }

  /** All but names and times. */
  static List<Entry> numbers(CheckpointDocument document) {
    return document.entries().stream().filter(entry -> !TIMES.contains(entry.key())).toList();
  }

  private static INDArray gaussian(int rows, int columns, long seed) {
    RandomStream random = new RandomStream(seed);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      for (int j = 0; j < columns; j++) {
        row[j] = random.nextGaussian();
      }
    }
    return Nd4j.create(values);
  }
}
