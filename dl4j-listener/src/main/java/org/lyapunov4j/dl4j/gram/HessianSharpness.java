// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The largest eigenvalues of the Hessian of the mean loss, H = ∇²L, L = (1/N) Σ ℓ_i without
 * regularisation, on a probe set: the sharpness of the literature on the edge of stability, of
 * which κ_max(G)/N is the Gauss–Newton part.
 *
 * <p>A product is a central difference of Deeplearning4j's gradients in double precision, H v ≈
 * (∇L(θ + hv) − ∇L(θ − hv))/2h with ‖hv‖ = 1e-7 max(1, ‖θ‖), right to about 1e-9 of ‖H‖. A kink of
 * a rectifier within that reach shows by ∇L(θ + hv) + ∇L(θ − hv) − 2∇L(θ); h is divided by ten
 * then, up to 1e-12 max(1, ‖θ‖), so that products are those of the second derivative beside the
 * kinks, right to about 1e-5. Eigenpairs come from {@link TopEigenpairs}. Dropout and weight noise
 * are off; batch normalisation differentiates the statistics of the probe, as training does. Layers
 * defined by SameDiff have twice their gradients in Deeplearning4j 1.0.0-M2.1, and so here.
 *
 * <p>Holds a private copy of the model and the probe set. Safe to use from any thread.
 */
public final class HessianSharpness implements AutoCloseable {
  private final Probe probe;
  private final Model model;
  private TopEigenpairs last;

  private HessianSharpness(Probe probe, Model model) {
    this.probe = probe;
    this.model = model;
  }

  /**
   * Copies a model and a probe set.
   *
   * @param model an initialised {@code MultiLayerNetwork} or {@code ComputationGraph}; only read
   * @param data the examples of the loss
   * @return the computation
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public static HessianSharpness of(Model model, MultiDataSet data) {
    try (Isolation isolation = Isolation.begin()) {
      Probe probe = Probe.of(data, DataType.DOUBLE);
      return new HessianSharpness(probe, Replica.copy(model, probe, new Noise()));
    }
  }

  /**
   * The largest eigenvalues at a parameter vector; starts from the eigenvectors of the last call.
   *
   * @param flatParameters the parameters in the order of {@code model.params()}; not modified
   * @param count how many, 1 … P
   * @param tolerance of the residuals relative to the largest, at least the 1e-9 of the products,
   *     1e-5 near kinks
   * @param maxProducts the most products, each of two gradients, more of them where it meets kinks
   * @return the eigenpairs; {@link TopEigenpairs#converged()} says whether the products sufficed
   * @throws IllegalArgumentException if the number of parameters is another or the gradient is not
   *     finite
   * @throws IllegalStateException if there is no second derivative, since a rectifier is at its
   *     kink
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized TopEigenpairs largest(
      INDArray flatParameters, int count, double tolerance, int maxProducts) {
    try (Isolation isolation = Isolation.begin()) {
      UnaryOperator<double[]> product = operator(flatParameters);
      int size = Math.toIntExact(model.numParams());
      last =
          TopEigenpairs.of(product, size, count, tolerance, maxProducts, new RandomStream(1), last);
      return last;
    }
  }

  /**
   * Lets the next call start from these eigenvectors in place of those of the last one, as when
   * training goes on in another process.
   *
   * @param earlier of the same model at other parameters
   */
  public synchronized void startFrom(TopEigenpairs earlier) {
    last = earlier;
  }

  /** Products with the Hessian. */
  UnaryOperator<double[]> operator(INDArray flatParameters) {
    if (flatParameters.length() != model.numParams()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the parameter vector must have the model's length %d, got %d; pass model.params()",
              model.numParams(),
              flatParameters.length()));
    }
    INDArray theta =
        flatParameters.castTo(DataType.DOUBLE).dup('c').reshape(flatParameters.length());
    GradientDifference.requireFinite(theta.data().asDouble());
    GradientDifference difference = new GradientDifference(theta);
    INDArray slope = gradient(theta);
    return v -> difference.product(this::gradient, slope, v);
  }

  /** ∇L. */
  private INDArray gradient(INDArray parameters) {
    model.setParams(parameters.reshape(model.params().shape()));
    INDArray[] features = copies(probe.features());
    INDArray[] labels = copies(probe.labels());
    try {
      return Replica.gradient(model, features, labels, probe.featuresMasks(), probe.labelsMasks())
          .div(probe.examples());
    } finally {
      // as large as the probe; the collector does not see how large
      Stream.concat(Stream.of(features), Stream.of(labels)).forEach(INDArray::close);
    }
  }

  /** Some layers work in place. */
  private static INDArray[] copies(INDArray[] arrays) {
    return Stream.of(arrays).map(array -> array.dup('c')).toArray(INDArray[]::new);
  }

  /** Frees the private copy of the model; no computation must follow. */
  @Override
  public synchronized void close() {
    model.params().close();
  }
}
