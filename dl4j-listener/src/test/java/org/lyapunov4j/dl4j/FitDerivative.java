// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.gram.OutputJacobian;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The linearised step of training, column by column through Deeplearning4j's own {@code fit}: the
 * truth that steps and Gram matrices are held against.
 */
final class FitDerivative {
  /** Of differences of fourth order, whose error is h⁴/30 times a fifth derivative. */
  private static final double H = 1e-3;

  private final double h;
  private final MultiLayerNetwork network;
  private final int iteration;
  private final double[] parameters;
  private final double[] state;

  /** Of a network as it is, with its updater's state, at the given iteration. */
  FitDerivative(MultiLayerNetwork network, int iteration) {
    this(network, iteration, H);
  }

  /** The same by smaller differences, where a kink is near. */
  FitDerivative(MultiLayerNetwork network, int iteration, double h) {
    this.h = h;
    this.network = network;
    this.iteration = iteration;
    parameters = vector(network.params());
    INDArray view = network.getUpdater().getStateViewArray();
    state = view == null ? new double[0] : vector(view);
  }

  /** ∂θ'/∂θ of a {@code fit} on each batch in turn, from the same state of the updater. */
  double[][] of(DataSet... batches) {
    int p = parameters.length;
    double[][] matrix = new double[p][p];
    for (int j = 0; j < p; j++) {
      double[] up = step(j, h, batches);
      double[] down = step(j, -h, batches);
      double[] far = step(j, 2 * h, batches);
      double[] back = step(j, -2 * h, batches);
      for (int i = 0; i < p; i++) {
        matrix[i][j] = (8 * (up[i] - down[i]) - (far[i] - back[i])) / (12 * h);
      }
    }
    restore(parameters);
    return matrix;
  }

  private double[] step(int coordinate, double by, DataSet... batches) {
    double[] moved = parameters.clone();
    moved[coordinate] += by;
    restore(moved);
    for (DataSet batch : batches) {
      network.fit(batch.copy());
    }
    return vector(network.params());
  }

  private void restore(double[] to) {
    network.setParams(Nd4j.createFromArray(to));
    INDArray view = network.getUpdater().getStateViewArray();
    if (view != null && view.length() > 0) {
      view.assign(Nd4j.createFromArray(state).reshape(view.shape()));
    }
    network.getLayerWiseConfigurations().setIterationCount(iteration);
  }

  /**
   * What the library says the same derivative is: I − ρ (η/B) diag(μ) A_SᵀA_S − ρη diag(D), A the
   * curvature-weighted Jacobian of the batch's outputs and ρ the share of a gradient in the update
   * it first appears in.
   *
   * @param parameterWeights μ; empty for ones
   * @param decays D; empty for that of the step
   */
  static double[][] predicted(
      MultiLayerNetwork network,
      DataSet batch,
      SgdStep step,
      Optional<INDArray> parameterWeights,
      Optional<INDArray> decays) {
    int p = (int) network.numParams();
    double share =
        step.momentum() instanceof Momentum.MovingAverage average ? 1 - average.coefficient() : 1;
    double scale = share * step.learningRate() / batch.numExamples();
    double[] weights = parameterWeights.map(FitDerivative::vector).orElse(null);
    double[] own = decays.map(FitDerivative::vector).orElse(null);
    double[][] matrix = new double[p][p];
    try (OutputJacobian jacobian = OutputJacobian.of(network, batch.toMultiDataSet())) {
      for (int j = 0; j < p; j++) {
        double[] direction = new double[p];
        direction[j] = 1;
        double[] back =
            jacobian.gradient(network.params(), jacobian.outputs(network.params(), direction));
        for (int i = 0; i < p; i++) {
          matrix[i][j] = -scale * (weights == null ? 1 : weights[i]) * back[i];
        }
        double decay = own == null ? step.l2() : own[j];
        matrix[j][j] += 1 - share * step.learningRate() * decay;
      }
    }
    return matrix;
  }

  /** The largest difference over the largest entry of what the matrix differs from the identity. */
  static double distance(double[][] found, double[][] truth) {
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < truth.length; i++) {
      for (int j = 0; j < truth.length; j++) {
        difference = Math.max(difference, Math.abs(found[i][j] - truth[i][j]));
        largest = Math.max(largest, Math.abs(truth[i][j] - (i == j ? 1 : 0)));
      }
    }
    return difference / largest;
  }

  static double[] vector(INDArray array) {
    return array.castTo(DataType.DOUBLE).dup('c').reshape(array.length()).toDoubleVector();
  }
}
