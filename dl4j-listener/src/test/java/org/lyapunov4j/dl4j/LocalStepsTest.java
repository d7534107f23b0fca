// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Workers that take some steps of their own before their parameters are averaged: the edge of the
 * mean of the products of their steps, which are Deeplearning4j's own, against that of one worker.
 */
class LocalStepsTest {
  private static final int EXAMPLES = 8;
  private static final double RATE = 0.1;

  @ParameterizedTest
  @CsvSource({"2, 2", "2, 6", "4, 3"})
  void theEdgeIsBetweenThatOfOneWorkerAndAsManyTimesIt(int workers, int rounds) {
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(new Sgd(RATE), DataType.DOUBLE), 3, 4, 2);
    DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);
    data.setLabels(network.output(data.getFeatures()).dup());
    List<RealMatrix> curvatures = new ArrayList<>();
    for (DataSet example : data.batchBy(1)) {
      double[][] step = new FitDerivative(network, 0).of(example);
      RealMatrix identity = MatrixUtils.createRealIdentityMatrix(step.length);
      curvatures.add(
          identity.subtract(MatrixUtils.createRealMatrix(step)).scalarMultiply(1 / RATE));
    }
    double alone =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(1))
            .run()
            .stability()
            .criticalLearningRate()
            .orElseThrow()
            .value();
    double low = alone / 2;
    double high = 2 * alone * workers;
    for (int bisection = 0; bisection < 7; bisection++) {
      double middle = Math.sqrt(low * high);
      if (exponent(curvatures, middle, workers, rounds) > 1e-3) {
        high = middle;
      } else {
        low = middle;
      }
    }
    double edge = Math.sqrt(low * high);
    assertThat(edge / alone).isBetween(0.97, (double) workers);
  }

  /** Nats per average. */
  private static double exponent(
      List<RealMatrix> curvatures, double rate, int workers, int rounds) {
    RandomStream random = new RandomStream(6);
    double[] x = new double[curvatures.get(0).getRowDimension()];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextGaussian();
    }
    double sum = 0;
    int averages = 1500;
    for (int t = 0; t < averages; t++) {
      double[] mean = new double[x.length];
      for (int worker = 0; worker < workers; worker++) {
        double[] own = x.clone();
        for (int round = 0; round < rounds; round++) {
          double[] image = curvatures.get(random.nextInt(curvatures.size())).operate(own);
          for (int i = 0; i < own.length; i++) {
            own[i] -= rate * image[i];
          }
        }
        for (int i = 0; i < own.length; i++) {
          mean[i] += own[i] / workers;
        }
      }
      double norm =
          Math.sqrt(
              MatrixUtils.createRealVector(mean).dotProduct(MatrixUtils.createRealVector(mean)));
      for (int i = 0; i < x.length; i++) {
        x[i] = mean[i] / norm;
      }
      sum += Math.log(norm);
    }
    return sum / averages;
  }
}
