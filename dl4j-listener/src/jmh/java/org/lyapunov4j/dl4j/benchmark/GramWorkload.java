// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.benchmark;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A network with a probe set of Gaussian features, and the multiply-adds that its Gram matrix takes: the products of the
 * layers' rules, half of each symmetric one, and one pass forward and one backward for every column.
 *
 * @param name what the table calls it
 * @param network in single precision, Gaussian parameters
 * @param data the probe set
 * @param multiplyAdds of one Gram matrix
 */
record GramWorkload(String name, MultiLayerNetwork network, DataSet data, double multiplyAdds) {
  int examples() {
    return data.numExamples();
  }

  int outputs() {
    return data.numOutcomes();
  }

  /** Fully connected tanh layers with the mean-squared loss. */
  static GramWorkload perceptron(int examples, int... sizes) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().seed(1).updater(new Sgd(0.01)).list();
    int outputs = sizes[sizes.length - 1];
    double n = examples;
    double m = n * outputs;
    double work = 0;
    StringBuilder name = new StringBuilder().append(sizes[0]);
    for (int l = 1; l < sizes.length; l++) {
      double p = sizes[l - 1];
      double q = sizes[l];
      name.append('-').append(sizes[l]);
      work += (n * n * p + m * m * q) / 2 + n * p * q + (l > 1 ? m * p * q : 0);
      list.layer(
          l < sizes.length - 1
              ? new DenseLayer.Builder().nIn(sizes[l - 1]).nOut(sizes[l]).activation(Activation.TANH).build()
              : new OutputLayer.Builder(LossFunction.MSE)
                  .nIn(sizes[l - 1])
                  .nOut(outputs)
                  .activation(Activation.IDENTITY)
                  .build());
    }
    return of(name.toString(), list, examples, sizes[0], outputs, work);
  }

  /** Convolutions 5 × 5 to 20 and 50 channels with maximum pooling, 500 units, 10 classes, on 28 × 28 pixels. */
  static GramWorkload leNet(int examples) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Sgd(0.01))
            .list()
            .layer(new ConvolutionLayer.Builder(5, 5).nOut(20).activation(Activation.IDENTITY).build())
            .layer(new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX).kernelSize(2, 2).stride(2, 2).build())
            .layer(new ConvolutionLayer.Builder(5, 5).nOut(50).activation(Activation.IDENTITY).build())
            .layer(new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX).kernelSize(2, 2).stride(2, 2).build())
            .layer(new DenseLayer.Builder().nOut(500).activation(Activation.RELU).build())
            .layer(new OutputLayer.Builder(LossFunction.MCXENT).nOut(10).activation(Activation.SOFTMAX).build())
            .setInputType(InputType.convolutionalFlat(28, 28, 1));
    double n = examples;
    double m = n * 10;
    double work =
        convolution(n, m, 576, 25, 20, false)
            + convolution(n, m, 64, 500, 50, true)
            + (n * n * 800 + m * m * 500) / 2
            + (n + m) * 800 * 500
            + (n * n * 500 + m * m * 10) / 2
            + (n + m) * 500 * 10;
    return of("LeNet", list, examples, 784, 10, work);
  }

  /** The cheaper of pairs of positions and rows of the Jacobian. */
  private static double convolution(double n, double m, double t, double p, double q, boolean propagate) {
    double pairs = t * t * (n * n * p + m * m * q) / 2;
    double rows = m * t * p * q + m * m * p * q / 2;
    return Math.min(pairs, rows) + n * t * p * q + (propagate ? m * t * p * q : 0);
  }

  private static GramWorkload of(
      String name, NeuralNetConfiguration.ListBuilder list, int examples, int inputs, int outputs, double work) {
    MultiLayerNetwork network = new MultiLayerNetwork(list.build());
    network.init();
    RandomStream random = new RandomStream(1);
    float[][] features = new float[examples][inputs];
    float[][] labels = new float[examples][outputs];
    for (int i = 0; i < examples; i++) {
      for (int j = 0; j < inputs; j++) {
        features[i][j] = (float) random.nextGaussian();
      }
      labels[i][i % outputs] = 1;
    }
    return new GramWorkload(
        name, network, new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels)), work);
  }
}
