// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Products with the derivative A = Rᵀ J of a model's outputs on a probe set with respect to its P
 * parameters, weighted by the factor R of the loss curvature, H = R Rᵀ: what {@link NtkGram} makes
 * the Gram matrix A Aᵀ of.
 *
 * <p>Everything is in double precision, whatever the model's type, since a direction that training
 * has contracted by many orders of magnitude must be told from rounding. A product takes one sweep
 * through the network, forward and back for all columns at once; no Jacobian of the whole network
 * is formed. What the model is not trained in counts as zero: frozen layers, running statistics.
 *
 * <p>Holds a private copy of the model and of the probe set. Safe to use from any thread; one
 * product is computed at a time.
 */
public final class OutputJacobian implements AutoCloseable {
  private final Replica replica;
  private final Probe probe;
  private final List<OutputDerivatives> derivatives = new ArrayList<>();
  private final int outputs;

  private OutputJacobian(Model model, MultiDataSet data) {
    probe = Probe.of(data, DataType.DOUBLE);
    replica = Replica.of(model, probe, GramMethod.AUTO, Weighting.CURVATURE);
    int columns = 0;
    for (int o = 0; o < replica.outputs().size(); o++) {
      derivatives.add(
          new OutputDerivatives(replica.outputs().get(o), replica.values()[o], probe.labels()[o]));
      columns += derivatives.get(o).columns();
    }
    outputs = columns;
  }

  /**
   * Copies a model and a probe set.
   *
   * @param model an initialised {@code MultiLayerNetwork} or {@code ComputationGraph}; only read
   * @param data the probe set
   * @return the products
   * @throws IllegalArgumentException if a layer, loss or shape is not supported
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public static OutputJacobian of(Model model, MultiDataSet data) {
    try (Isolation isolation = Isolation.begin()) {
      return new OutputJacobian(model, data);
    }
  }

  /**
   * What a direction of the parameters does to the outputs.
   *
   * @param flatParameters θ, in the order of {@code model.params()}; not modified
   * @param direction v, length P, in the same order; not modified
   * @return A v, length m = N·K, example-major
   * @throws IllegalArgumentException if a length is wrong
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized double[] outputs(INDArray flatParameters, double[] direction) {
    try (Isolation isolation = Isolation.begin()) {
      ParameterWeights views = replica.viewsOf(Nd4j.createFromArray(direction));
      double[] sum = new double[probe.examples() * outputs];
      sweep(
          flatParameters,
          (node, block, parameters) -> {
            double[] part = block.outputs(views.flat(parameters)).data().asDouble();
            for (int r = 0; r < sum.length; r++) {
              sum[r] += part[r];
            }
          });
      return sum;
    }
  }

  /**
   * The gradient of a linear function of the outputs.
   *
   * @param flatParameters θ, in the order of {@code model.params()}; not modified
   * @param coefficients c, length m = N·K, example-major; not modified
   * @return Aᵀ c, length P
   * @throws IllegalArgumentException if a length is wrong
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized double[] gradient(INDArray flatParameters, double[] coefficients) {
    int rows = probe.examples() * outputs;
    if (coefficients.length != rows) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the coefficients must have the length m = %d, got %d",
              rows,
              coefficients.length));
    }
    try (Isolation isolation = Isolation.begin()) {
      INDArray sum = Nd4j.zeros(DataType.DOUBLE, flatParameters.length());
      ParameterWeights views = replica.viewsOf(sum);
      INDArray vector = Nd4j.createFromArray(coefficients);
      sweep(
          flatParameters,
          (node, block, parameters) -> views.add(block.gradient(vector), parameters));
      return sum.data().asDouble();
    }
  }

  private void sweep(INDArray flatParameters, Sweep.Blocks blocks) {
    replica.setParameters(flatParameters);
    new Sweep(replica, probe, ParameterWeights.ONES)
        .limitedTo(outputs, false, SweepMemory.available())
        .run(this::derivatives, blocks);
  }

  private INDArray derivatives(int o, INDArray f) {
    int from = 0;
    for (int before = 0; before < o; before++) {
      from += derivatives.get(before).columns();
    }
    return derivatives.get(o).derivatives(f, from, outputs, Weighting.CURVATURE);
  }

  /** Frees the private copy of the model; no product must follow. */
  @Override
  public synchronized void close() {
    replica.close();
  }
}
