// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Locale;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.exponent.BatchHessian;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Products with the Hessians of the losses of mini-batches of a probe set, Σ_{i∈S} ∇²ℓ_i v, as
 * central differences of Deeplearning4j's gradients over ‖hv‖ = 1e-7 max(1, ‖θ‖), in double
 * precision: right to about 1e-9 of ‖H_S‖. At kinks of rectifiers the step is shortened, as in
 * {@link HessianSharpness}. A product takes three gradients of the mini-batch; every tenth two
 * more, over twice the step, which tell its error. Dropout and weight noise are off; batch
 * normalisation differentiates the statistics of the mini-batch, as training does.
 *
 * <p>Holds a private copy of the model and the probe set. Safe to use from any thread.
 */
public final class LossHessian implements AutoCloseable {
  /** Products from one whose error is measured to the next. */
  private static final int MEASURED = 10;

  private final Probe probe;
  private final Model model;
  private Experience experience = new Experience(0, 0, 0);

  private LossHessian(Probe probe, Model model) {
    this.probe = probe;
    this.model = model;
  }

  /**
   * Copies a model and a probe set.
   *
   * @param model an initialised {@code MultiLayerNetwork} or {@code ComputationGraph}; only read
   * @param data the examples that mini-batches are of
   * @return the products
   * @throws IllegalArgumentException if the model has layers defined by SameDiff, whose gradients
   *     in Deeplearning4j 1.0.0-M2.1 are twice the true ones
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public static LossHessian of(Model model, MultiDataSet data) {
    requireTrueGradients(model);
    try (Isolation isolation = Isolation.begin()) {
      Probe probe = Probe.of(data, DataType.DOUBLE);
      return new LossHessian(probe, Replica.copy(model, probe, new Noise()));
    }
  }

  private static void requireTrueGradients(Model model) {
    Stream<Object> parts =
        model instanceof ComputationGraph graph
            ? Stream.concat(
                Stream.of((Object[]) graph.getLayers()), Stream.of((Object[]) graph.getVertices()))
            : Stream.of((Object[]) ((MultiLayerNetwork) model).getLayers());
    parts
        .filter(part -> GenericRule.scale(part) != 1)
        .findFirst()
        .ifPresent(
            part -> {
              String name =
                  part instanceof Layer layer
                      ? layer.conf().getLayer().getClass().getSimpleName()
                      : part.getClass().getSimpleName();
              throw new IllegalArgumentException(
                  "the full Hessian needs layers whose gradients Deeplearning4j has right, got "
                      + name
                      + ", defined by SameDiff, with twice the gradient; take the Gauss-Newton"
                      + " matrix");
            });
  }

  /**
   * Products at a parameter vector. What it gives must not be used after this is closed.
   *
   * @param parameters θ, in the order of {@code model.params()}; copied
   * @return products in double precision
   * @throws IllegalArgumentException if the number of parameters is another
   */
  public BatchHessian at(double... parameters) {
    if (parameters.length != model.numParams()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the parameter vector must have the model's length %d, got %d; pass model.params()",
              model.numParams(),
              parameters.length));
    }
    return new Products(parameters.clone());
  }

  /**
   * What earlier products tell those that follow.
   *
   * @param products how many there were
   * @param largest the largest curvature met, ‖H_S v‖/‖v‖: what differences are compared with, to
   *     tell a kink from rounding
   * @param error the largest error measured, relative to the product
   */
  public record Experience(long products, double largest, double error) {
    /** {@inheritDoc} */
    public Experience {
      if (products < 0 || !(largest >= 0) || !(error >= 0)) {
        throw new IllegalArgumentException(
            "products, curvature and error must be at least 0, got "
                + products
                + ", "
                + largest
                + " and "
                + error);
      }
    }
  }

  /**
   * What was learnt so far.
   *
   * @return to {@linkplain #resume resume} with
   */
  public synchronized Experience experience() {
    return experience;
  }

  /**
   * Goes on as another one of the same model would.
   *
   * @param learnt by the other
   */
  public synchronized void resume(Experience learnt) {
    experience = learnt;
  }

  private final class Products implements BatchHessian {
    private final double[] parameters;

    Products(double... parameters) {
      this.parameters = parameters;
    }

    @Override
    @SuppressWarnings("try") // the isolation is only begun and closed
    public double[] times(int[] examples, double[] direction) {
      synchronized (LossHessian.this) {
        try (Isolation isolation = Isolation.begin();
            Batch batch = new Batch(examples);
            INDArray theta = Nd4j.createFromArray(parameters);
            INDArray slope = batch.gradient(theta)) {
          GradientDifference difference = new GradientDifference(theta, experience.largest);
          double[] product = difference.product(batch::gradient, slope, direction);
          double error =
              experience.products % MEASURED == 0
                  ? difference.disagreement(batch::gradient, product, direction)
                  : 0;
          experience =
              new Experience(
                  experience.products + 1, difference.largest(), Math.max(error, experience.error));
          return product;
        }
      }
    }

    @Override
    public double relativeError() {
      return experience().error;
    }
  }

  /** The examples of a mini-batch. */
  private final class Batch implements AutoCloseable {
    private final INDArray[] features;
    private final INDArray[] labels;
    private final INDArray[] featuresMasks;
    private final INDArray[] labelsMasks;

    Batch(int... examples) {
      features = rows(probe.features(), examples);
      labels = rows(probe.labels(), examples);
      featuresMasks = rows(probe.featuresMasks(), examples);
      labelsMasks = rows(probe.labelsMasks(), examples);
    }

    /** Of the sum of their losses, a new array. */
    INDArray gradient(INDArray at) {
      model.setParams(at.reshape(model.params().shape()));
      INDArray[] inputs = Stream.of(features).map(array -> array.dup('c')).toArray(INDArray[]::new);
      INDArray[] targets = Stream.of(labels).map(array -> array.dup('c')).toArray(INDArray[]::new);
      try { // some layers work in place
        return Replica.gradient(model, inputs, targets, featuresMasks, labelsMasks).dup('c');
      } finally {
        Stream.concat(Stream.of(inputs), Stream.of(targets)).forEach(INDArray::close);
      }
    }

    @Override
    public void close() {
      Stream.of(features, labels, featuresMasks, labelsMasks)
          .filter(arrays -> arrays != null)
          .flatMap(Stream::of)
          .filter(array -> array != null)
          .forEach(INDArray::close);
    }

    private static INDArray[] rows(INDArray[] arrays, int... examples) {
      return arrays == null
          ? null
          : Stream.of(arrays)
              .map(array -> array == null ? null : StackedColumns.select(array, 1, examples))
              .toArray(INDArray[]::new);
    }
  }

  /** Frees the private copy of the model; no product must follow. */
  @Override
  public synchronized void close() {
    model.params().close();
  }
}
