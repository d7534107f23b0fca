// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Computes the Gram matrix of a model's tangent kernel on a fixed probe set of N examples with K
 * outputs, exactly.
 *
 * <p>Θ[(i,k),(j,l)] = ⟨∂f_ik/∂θ, ∂f_jl/∂θ⟩ over all trained parameters θ, weighted by the loss
 * curvature unless asked otherwise ({@link Weighting}); never divided by N, K or the number of
 * parameters. One sweep carries all output columns of all examples back through the network; a
 * layer with inputs A and back-propagated Δ adds (A Aᵀ) ∘ (Δ Δᵀ).
 *
 * <p>Holds a private copy of the model and of the probe set: the model may be trained, changed or
 * thrown away meanwhile, and is never touched. Nor are ND4J's random generators or the workspaces
 * of the calling thread. Safe to use from any thread; one computation runs at a time.
 */
public final class NtkGram implements AutoCloseable {
  private final Replica replica;
  private final INDArray features;
  private final INDArray labels;
  private final Weighting weighting;
  private final boolean single;
  private final int examples;
  private final int outputs;

  private NtkGram(Builder builder) {
    replica = Replica.of(builder.model);
    weighting = builder.weighting;
    features = builder.features.castTo(replica.dataType()).dup('c');
    labels = builder.labels.castTo(DataType.DOUBLE).dup('c');
    examples = Math.toIntExact(features.size(0));
    outputs = Math.toIntExact(labels.size(1));
    single = builder.chooseSingle(Math.multiplyExact((long) examples, outputs));
  }

  /**
   * Starts to configure the computation for a model.
   *
   * @param model an initialised {@code MultiLayerNetwork}; only read, and only by {@link
   *     Builder#build()}
   * @return a builder
   */
  public static Builder builder(Model model) {
    return new Builder(model);
  }

  /**
   * The Gram matrix at a parameter vector.
   *
   * @param flatParameters the parameters in the order of {@code model.params()}, any shape of that
   *     length; not modified
   * @return the Gram matrix, independent of this object
   * @throws IllegalArgumentException if the length is wrong or the matrix is not finite
   */
  @SuppressWarnings("try") // the workspace scope is only opened and closed
  public synchronized NtkGramResult compute(INDArray flatParameters) {
    try (MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      replica.setParameters(flatParameters);
      return new NtkGramResult(gram(), replica.assumptions());
    }
  }

  private GramMatrix gram() {
    List<LayerRule> rules = replica.rules();
    INDArray activation = features;
    for (LayerRule rule : rules) {
      activation = rule.forward(activation);
    }
    GramAccumulator sum = new GramAccumulator(examples, outputs, single);
    INDArray epsilon = Seeds.of(activation, labels, replica.curvature(), replica.loss(), weighting);
    int lowest = lowestTrained(rules);
    for (int l = rules.size() - 1; l >= lowest; l--) {
      epsilon = rules.get(l).backward(epsilon, l > lowest, sum::add);
    }
    return sum.toGram();
  }

  private static int lowestTrained(List<LayerRule> rules) {
    int lowest = 0;
    while (lowest < rules.size() && !rules.get(lowest).isTrained()) {
      lowest++;
    }
    return lowest;
  }

  /**
   * The number of examples.
   *
   * @return N
   */
  public int examples() {
    return examples;
  }

  /**
   * The number of outputs per example.
   *
   * @return K
   */
  public int outputs() {
    return outputs;
  }

  /** Frees the private copy of the model; no computation must follow. */
  @Override
  public synchronized void close() {
    replica.close();
  }

  /** Configures an {@link NtkGram}. */
  public static final class Builder {
    private final Model model;
    private INDArray features;
    private INDArray labels;
    private Weighting weighting = Weighting.CURVATURE;
    private Precision precision = Precision.AUTO;
    private long memoryBudget = Runtime.getRuntime().maxMemory() / 2;

    private Builder(Model model) {
      this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * The examples at which the kernel is evaluated.
     *
     * @param probe features and labels; copied by {@link #build()}
     * @return this
     */
    public Builder probe(DataSet probe) {
      if (probe.getFeaturesMaskArray() != null || probe.getLabelsMaskArray() != null) {
        throw new IllegalArgumentException("a probe set with masks is not supported; remove them");
      }
      features = Objects.requireNonNull(probe.getFeatures(), "features");
      labels = Objects.requireNonNull(probe.getLabels(), "labels");
      return this;
    }

    /**
     * The examples at which the kernel is evaluated.
     *
     * @param probe features and labels, one array of each; copied by {@link #build()}
     * @return this
     */
    public Builder probe(MultiDataSet probe) {
      if (probe.numFeatureArrays() != 1 || probe.numLabelsArrays() != 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the probe set must have one features and one labels array, got %d and %d",
                probe.numFeatureArrays(),
                probe.numLabelsArrays()));
      }
      return probe(
          new org.nd4j.linalg.dataset.DataSet(
              probe.getFeatures(0),
              probe.getLabels(0),
              probe.getFeaturesMaskArray(0),
              probe.getLabelsMaskArray(0)));
    }

    /**
     * What the kernel is weighted with; the loss curvature by default.
     *
     * @param weighting curvature or plain
     * @return this
     */
    public Builder weighting(Weighting weighting) {
      this.weighting = Objects.requireNonNull(weighting, "weighting");
      return this;
    }

    /**
     * How entries are stored; by default double where it fits the memory budget.
     *
     * @param precision the type of the entries
     * @return this
     */
    public Builder precision(Precision precision) {
      this.precision = Objects.requireNonNull(precision, "precision");
      return this;
    }

    /**
     * The memory a computation may take; half of the heap's limit by default.
     *
     * @param bytes at least 1
     * @return this
     */
    public Builder memoryBudget(long bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("memoryBudget must be at least 1 byte, got " + bytes);
      }
      memoryBudget = bytes;
      return this;
    }

    /**
     * Copies the model and the probe set.
     *
     * @return the computation
     * @throws IllegalArgumentException if a layer, loss or shape is not supported or the memory
     *     budget does not suffice, with the rule, the value and a remedy
     */
    @SuppressWarnings("try") // the workspace scope is only opened and closed
    public NtkGram build() {
      if (features == null) {
        throw new IllegalArgumentException("no probe set was given; call probe(...)");
      }
      if (labels.rank() != 2 || labels.size(0) != features.size(0)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "labels must be a matrix with one row for each of the %d examples, got shape %s",
                features.size(0),
                java.util.Arrays.toString(labels.shape())));
      }
      try (MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
        return new NtkGram(this);
      }
    }

    private boolean chooseSingle(long m) {
      boolean single =
          precision == Precision.FLOAT || (precision == Precision.AUTO && 8 * m * m > memoryBudget);
      long need = (single ? 4 : 8) * m * m;
      if (need > memoryBudget) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "a Gram matrix of %d rows in %s needs %,d bytes, the memory budget is %,d;"
                    + " use fewer examples%s or raise the budget",
                m,
                single ? "float" : "double",
                need,
                memoryBudget,
                single ? "" : ", Precision.FLOAT"));
      }
      return single;
    }
  }
}
