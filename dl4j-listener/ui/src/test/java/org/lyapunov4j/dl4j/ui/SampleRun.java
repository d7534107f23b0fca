// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.indexing.SpecifiedIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Chebyshev's T₅ at 20 points, learned by SGD in batches of 10: it crosses the edge of SGD. */
final class SampleRun {
  private static final int POINTS = 20;
  private static final int BATCH = 10;

  private final DataSet data = data();

  /** Trains, with a checkpoint every so many steps. */
  void train(double rate, int steps, int frequency, CheckpointSink sink) {
    MultiLayerNetwork network = network(rate);
    try (LyapunovListener listener =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.standard().withSeed(0))
            .frequency(frequency)
            .run("chebyshev")
            .to(sink)
            .build()) {
      network.setListeners(listener);
      MiniBatchSampler sampler =
          new MiniBatchSampler(POINTS, BATCH, MiniBatchSampling.IID_SUBSETS, new RandomStream(1));
      int[] batch = new int[BATCH];
      for (int t = 0; t < steps; t++) {
        sampler.next(batch);
        network.fit(rows(data.getFeatures(), batch), rows(data.getLabels(), batch));
      }
      if (listener.failures() > 0) {
        throw new IllegalStateException(listener.failures() + " checkpoints failed");
      }
    }
  }

  private static INDArray rows(INDArray values, int[] rows) {
    return values.get(new SpecifiedIndex(rows), NDArrayIndex.all());
  }

  private static DataSet data() {
    double[][] x = new double[POINTS][1];
    double[][] y = new double[POINTS][1];
    for (int i = 0; i < POINTS; i++) {
      x[i][0] = -1 + 2.0 * i / (POINTS - 1);
      y[i][0] = Math.cos(5 * Math.acos(Math.max(-1, Math.min(1, x[i][0]))));
    }
    return new DataSet(Nd4j.create(x), Nd4j.create(y));
  }

  private static MultiLayerNetwork network(double rate) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .activation(Activation.TANH)
                .updater(new Sgd(rate))
                .list()
                .layer(new DenseLayer.Builder().nIn(1).nOut(30).build())
                .layer(new DenseLayer.Builder().nIn(30).nOut(20).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(20)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
