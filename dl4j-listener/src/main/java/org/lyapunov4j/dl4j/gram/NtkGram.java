// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.MatrixProduct;
import org.lyapunov4j.gram.NativeLibrary;
import org.nd4j.linalg.api.buffer.DataType;
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
 * layer with inputs A and back-propagated Δ adds (A Aᵀ) ∘ (Δ Δᵀ). Products are formed in the type
 * of the parameters, in float if they are half-precision numbers.
 *
 * <p>Outputs that a mask of labels or features leaves out have no rows. K then is the largest
 * number of outputs that an example has left: those come first, in their order, and examples with
 * fewer end in rows of zeros. A recurrent network with one labelled step of T has a T-th of the
 * rows, which step it is in each series notwithstanding.
 *
 * <p>The result is checked: G x = J(Jᵀx) for a random x. If it is not, the products are formed
 * again in Java and an assumption of the result says so.
 *
 * <p>Holds a private copy of the model and of the probe set: the model may be trained, changed or
 * thrown away meanwhile, and is never touched. Nor are ND4J's random generators or the workspaces
 * of the calling thread. Safe to use from any thread; one computation runs at a time.
 */
public final class NtkGram implements AutoCloseable {
  /** Examples that all run through the model before the size of their matrix is asked. */
  private static final int FEW = 64;

  private final Replica replica;
  private final Probe probe;
  private final List<OutputDerivatives> derivatives;
  private final Weighting weighting;
  private final boolean layers;
  private final boolean single;
  private final boolean matrixFree;
  private final GramMethod method;
  private final int spotChecks;
  private final SpotCheck spotCheck;
  private final boolean eigenvalues;
  private final long offHeapBudget;
  private final List<String> assumptions;
  private final int outputs;
  private final OptionalLong statistics;
  private final BooleanSupplier cancelled;
  private final Tile.Product product;
  private final Tile.Product secondProduct;

  private NtkGram(Builder builder) {
    probe = Probe.of(builder.probe, Replica.arithmetic(builder.model));
    method = builder.method;
    weighting = builder.weighting;
    if (!builder.matrixFree && probe.examples() > FEW) {
      requireSize(builder);
    }
    replica = Replica.of(builder.model, probe, method, weighting);
    layers = builder.layers;
    eigenvalues = builder.eigenvalues;
    offHeapBudget = builder.offHeapBudget;
    assumptions = new ArrayList<>(replica.assumptions());
    Optional<String> obstacle = SpotCheck.obstacle(builder.model, probe, replica.outputs());
    spotChecks = obstacle.isPresent() || builder.matrixFree ? 0 : builder.spotChecks;
    spotCheck = spotChecks == 0 ? null : SpotCheck.of(builder.model, probe, replica.outputs());
    obstacle
        .filter(reason -> builder.spotChecks > 0)
        .ifPresent(
            reason ->
                assumptions.add("no row was checked by Deeplearning4j's gradients: " + reason));
    derivatives = OutputDerivatives.of(replica, probe);
    outputs = OutputDerivatives.columns(derivatives);
    statistics = statistics(replica, probe);
    long m = Math.multiplyExact((long) probe.examples(), outputs);
    single = builder.matrixFree || builder.chooseSingle(m, replica.trainedNodes());
    if (builder.matrixFree && layers) {
      throw new IllegalArgumentException(
          "layers(true) needs the matrix; drop matrixFree() or layers");
    }
    matrixFree = builder.matrixFree;
    cancelled = builder.cancelled;
    product = builder.product;
    secondProduct = builder.secondProduct;
  }

  /**
   * Refuses a matrix that is too large before all examples run through the model: as many rows for
   * each as the one with the most labels has.
   */
  private static void requireSize(Builder builder) {
    int example = ChunkOrder.of(builder.probe).first();
    Probe one =
        Probe.of(
            FactorSweep.part(builder.probe, example, example + 1),
            Replica.arithmetic(builder.model));
    try (Replica replica = Replica.of(builder.model, one, builder.method, builder.weighting)) {
      long columns = OutputDerivatives.columns(OutputDerivatives.of(replica, one));
      long examples = builder.probe.getFeatures(0).size(0);
      builder.chooseSingle(Math.multiplyExact(examples, columns), replica.trainedNodes());
    }
  }

  static OptionalLong statistics(Replica replica, Probe probe) {
    List<BatchNormRule> normalised = new ArrayList<>();
    for (Node node : replica.nodes()) {
      if (node.rule() instanceof BatchNormRule rule) {
        normalised.add(rule);
      }
    }
    if (!normalised.isEmpty()) {
      new Sweep(replica, probe, ParameterWeights.ONES).forward();
    }
    return normalised.stream().mapToLong(BatchNormRule::valuesOfAnExample).min();
  }

  /**
   * Starts to configure the computation for a model.
   *
   * @param model an initialised {@code MultiLayerNetwork} or {@code ComputationGraph}; only read,
   *     and only by {@link Builder#build()}
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
   * @throws IllegalArgumentException if the length is wrong, the matrix is not finite or the memory
   *     outside the heap does not suffice
   * @throws IllegalStateException if this was built for products only, or the matrix is wrong
   *     however its products are formed
   * @throws CancellationException if cancelled or interrupted; this object can be used again
   */
  public NtkGramResult compute(INDArray flatParameters) {
    return compute(flatParameters, null);
  }

  /**
   * The Gram matrix Σ_p μ_p (∂f/∂θ_p)(∂f/∂θ_p)ᵀ of a step whose parameters have learning rates of
   * their own: with μ_p = η_p/η, that of a step at rate η. Parameters of weight 0 are frozen.
   *
   * <p>Weights that are equal over a layer cost nothing. Where they differ from one to the next, as
   * the preconditioner of an adaptive updater does, the rows of the layer's Jacobian are formed,
   * some at a time: about m²·P multiply-adds for P parameters instead of m²·(p + q)/2 for a dense
   * layer of p inputs and q outputs.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @param parameterWeights μ ≥ 0 in the same order, any shape of that length, not modified; null
   *     for ones
   * @return the Gram matrix, independent of this object
   * @throws IllegalArgumentException if a length is wrong, a weight is negative or the matrix is
   *     not finite
   * @throws IllegalStateException if this was built for products only, or the matrix is wrong
   *     however its products are formed
   * @throws CancellationException if cancelled or interrupted; this object can be used again
   */
  public NtkGramResult compute(INDArray flatParameters, INDArray parameterWeights) {
    return compute(flatParameters, parameterWeights, (INDArray) null);
  }

  /**
   * The Gram matrix Σ_pq μ_p^½ Π_pq μ_q^½ (∂f/∂θ_p)(∂f/∂θ_q)ᵀ of a step that leaves the norms of
   * some vectors of parameters as they are, with the projection Π of {@link FixedNorms} at these
   * parameters.
   *
   * <p>The rows of the Jacobian of the layers concerned are formed, some at a time, as for weights
   * that differ, and every vector takes a product with the layer's Jacobian.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @param parameterWeights as for {@link #compute(INDArray, INDArray)}, equal in each of the
   *     vectors
   * @param fixedNorms the vectors, of as many parameters; null for none
   * @return the Gram matrix, independent of this object
   * @throws UnsupportedModelException if a vector is spread over parameters that are not handled
   *     together: embeddings, peepholes
   * @throws IllegalArgumentException if a length is wrong, a weight is negative or the matrix is
   *     not finite
   * @throws IllegalStateException if this was built for products only, or the matrix is wrong
   *     however its products are formed
   * @throws CancellationException if cancelled or interrupted; this object can be used again
   */
  public NtkGramResult compute(
      INDArray flatParameters, INDArray parameterWeights, FixedNorms fixedNorms) {
    return compute(new GramVerifier.Place(flatParameters, parameterWeights, fixedNorms), null);
  }

  /**
   * The same with the parts of groups of parameters, G_h = Σ_{p in h} μ_p (∂f/∂θ_p)(∂f/∂θ_p)ᵀ, by
   * the same sweep. Memory: a matrix for each group beside the whole. Where the weights and the
   * bias of a layer are in two groups, its products with the derivatives are formed once more,
   * m²·q/2 beside m²·(p + q)/2 multiply-adds for p inputs and q outputs.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @param parameterWeights as for {@link #compute(INDArray, INDArray)}; null for ones
   * @param groups the number of the group of each parameter, 0, 1, …, in the same order; null for
   *     no groups
   * @return the Gram matrix and its parts, independent of this object
   * @throws IllegalArgumentException as for {@link #compute(INDArray, INDArray)}
   * @throws IllegalStateException as for {@link #compute(INDArray, INDArray)}
   * @throws CancellationException if cancelled or interrupted; this object can be used again
   */
  public NtkGramResult compute(
      INDArray flatParameters, INDArray parameterWeights, INDArray groups) {
    return compute(new GramVerifier.Place(flatParameters, parameterWeights, null), groups);
  }

  @SuppressWarnings("try") // the isolation is only begun and closed
  private synchronized NtkGramResult compute(GramVerifier.Place place, INDArray groups) {
    if (matrixFree) {
      throw new IllegalStateException(
          "built with matrixFree(); use operator(...) or build without");
    }
    try (Isolation isolation = Isolation.begin()) {
      replica.setParameters(place.parameters());
      BlockGroups split = groups == null ? null : replica.groups(groups);
      Optional<NtkGramResult> result = attempt(place, split, product, assumptions);
      return result.isPresent() ? result.get() : secondAttempt(place, split);
    }
  }

  private NtkGramResult secondAttempt(GramVerifier.Place place, BlockGroups groups) {
    String fault =
        String.format(
            Locale.ROOT,
            "the Gram matrix of %d rows was wrong by native products: G x was not J(Jᵀx)",
            probe.examples() * outputs);
    NativeLibrary.warn(fault);
    List<String> remarks = new ArrayList<>(assumptions);
    remarks.add(fault + "; Java took their place");
    return attempt(place, groups, secondProduct, remarks)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    fault + ", nor was it with products in Java; " + NativeLibrary.REMEDY));
  }

  /** The result; empty if the matrix does not stand its check. */
  private Optional<NtkGramResult> attempt(
      GramVerifier.Place place, BlockGroups groups, Tile.Product product, List<String> remarks) {
    GramAccumulator sum = accumulator(product);
    List<GramAccumulator> ofGroups = new ArrayList<>();
    for (int h = 0; groups != null && h < groups.count(); h++) {
      ofGroups.add(accumulator(product));
    }
    Map<String, GramAccumulator> parts = new LinkedHashMap<>();
    double[] residuals = new double[probe.examples() * outputs];
    double[] loss = {0};
    double[] dropped = {0};
    GramVerifier verifier = new GramVerifier(probe.examples(), outputs, spotChecks, spotCheck);
    ProductCheck check = new ProductCheck(probe.examples() * outputs, probe.dataType());
    sweep(place.weights(), false)
        .projectedBy(
            place.norms() == null ? Projection.NONE : Projection.of(replica, place.norms()))
        .runWeighted(
            (o, f) -> {
              requireFinite(f);
              loss[0] += derivatives.get(o).fit(f, firstColumn(o), outputs, residuals);
              dropped[0] = Math.max(dropped[0], derivatives.get(o).droppedShare(f));
              return verifier.remember(derivatives(o, f));
            },
            (node, block, parameters) -> {
              goOn();
              verifier.add(block, method);
              check.add(block);
              if (groups != null) {
                add(groups.split(block, parameters), ofGroups);
              }
              if (groups == null || layers) {
                Contraction.add(
                    block,
                    layers ? parts.computeIfAbsent(node.name(), name -> accumulator(product)) : sum,
                    method);
              }
            });
    (groups == null ? parts.values() : ofGroups).forEach(sum::add);
    Optional<GramMatrix> formed = matrix(sum, check);
    if (formed.isEmpty() || !check.accepts(formed.get(), roundoff())) {
      parts.values().forEach(GramAccumulator::close);
      ofGroups.forEach(GramAccumulator::close);
      return Optional.empty();
    }
    GramMatrix gram = formed.get();
    return Optional.of(
        new NtkGramResult(
            gram,
            fromInputToOutput(parts),
            ofGroups.stream().map(this::gram).toList(),
            verifier.check(gram, place, eigenvalues, roundoff(), remarks),
            new ProbeFit(loss[0] / probe.examples(), residuals),
            dropped[0]));
  }

  private void add(JacobianBlock[] split, List<GramAccumulator> sums) {
    for (int h = 0; h < split.length; h++) {
      if (split[h] != null) {
        Contraction.add(split[h], sums.get(h), method);
      }
    }
  }

  /** Running statistics that nothing has been seen of let deep networks grow beyond all numbers. */
  private void requireFinite(INDArray f) {
    double sum = f.sumNumber().doubleValue();
    if (!Double.isFinite(sum)) {
      throw new IllegalArgumentException(
          "the network's outputs on the probe must be finite, got a sum of "
              + sum
              + (statistics.isPresent()
                  ? "; the running statistics of its batch normalisation may not have settled yet:"
                      + " wait some iterations"
                  : "; training may have diverged: lower the learning rate"));
    }
  }

  /**
   * The matrix; empty if it is refused although J(Jᵀx) is finite, as where wrong tiles make its
   * diagonal negative. If that is not finite either, the network is at fault.
   */
  private Optional<GramMatrix> matrix(GramAccumulator sum, ProductCheck check) {
    try {
      return Optional.of(gram(sum));
    } catch (IllegalArgumentException e) {
      if (check.isFinite()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The unit roundoff of the products or of the entries, whichever is larger. */
  private double roundoff() {
    return single || probe.dataType() == DataType.FLOAT ? 0x1p-24 : 0x1p-53;
  }

  private GramMatrix gram(GramAccumulator sum) {
    return sum.toGram().withEpsilon(2 * roundoff());
  }

  private GramAccumulator accumulator(Tile.Product product) {
    return new GramAccumulator(probe.examples(), outputs, single, product, this::goOn);
  }

  private void goOn() {
    if (cancelled.getAsBoolean() || Thread.currentThread().isInterrupted()) {
      throw new CancellationException("the Gram matrix was cancelled or the thread interrupted");
    }
  }

  private Map<String, GramMatrix> fromInputToOutput(Map<String, GramAccumulator> parts) {
    List<String> names = new ArrayList<>(parts.keySet());
    Collections.reverse(names);
    Map<String, GramMatrix> grams = new LinkedHashMap<>();
    for (String name : names) {
      grams.put(name, gram(parts.get(name)));
    }
    return grams;
  }

  /**
   * The Gram matrix as an operator, without its m² entries: for probe sets too large for them.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @return products G v at these parameters, independent of this object
   * @throws IllegalStateException if two random products are not those of a symmetric matrix
   */
  public NtkOperator operator(INDArray flatParameters) {
    return operator(flatParameters, null);
  }

  /**
   * The same with a weight for every parameter; here too the weights cost next to nothing.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @param parameterWeights as for {@link #compute(INDArray, INDArray)}
   * @return products G v at these parameters, independent of this object
   * @throws IllegalStateException if two random products are not those of a symmetric matrix
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized NtkOperator operator(INDArray flatParameters, INDArray parameterWeights) {
    try (Isolation isolation = Isolation.begin()) {
      replica.setParameters(flatParameters);
      List<JacobianBlock> blocks = new ArrayList<>();
      sweep(parameterWeights, true).run(this::derivatives, (node, block) -> blocks.add(block));
      NtkOperator operator = new NtkOperator(blocks, probe.examples(), outputs, probe.dataType());
      ProductCheck.requireSymmetric(operator, roundoff());
      return operator;
    }
  }

  /**
   * Deeplearning4j's gradients of the mean loss of some batches, without regularisation, by one
   * sweep.
   *
   * @param flatParameters as for {@link #compute(INDArray)}
   * @param batches the examples of each, not empty
   * @return a flat gradient for each batch, in the order of the parameters
   */
  @SuppressWarnings("try") // the isolation is only begun and closed
  public synchronized double[][] gradients(INDArray flatParameters, List<int[]> batches) {
    try (Isolation isolation = Isolation.begin()) {
      replica.setParameters(flatParameters);
      INDArray[] sums = new INDArray[batches.size()];
      for (int b = 0; b < sums.length; b++) {
        sums[b] = Nd4j.zeros(probe.dataType(), flatParameters.length());
      }
      double[] residuals = new double[probe.examples() * outputs];
      long budget = Math.min(offHeapBudget, SweepMemory.available());
      new Sweep(replica, probe, ParameterWeights.ONES)
          .limitedTo(outputs, false, budget)
          .run(
              (o, f) -> {
                derivatives.get(o).fit(f, firstColumn(o), outputs, residuals);
                return derivatives(o, f);
              },
              (Node node, JacobianBlock block, INDArray[] parameters) -> {
                goOn();
                for (int b = 0; b < sums.length; b++) {
                  INDArray vector = Nd4j.createFromArray(mean(residuals, batches.get(b)));
                  replica
                      .viewsOf(sums[b])
                      .add(block.gradient(vector.castTo(probe.dataType())), parameters);
                }
              });
      double[][] gradients = new double[sums.length][];
      for (int b = 0; b < sums.length; b++) {
        gradients[b] = sums[b].castTo(DataType.DOUBLE).data().asDouble();
      }
      return gradients;
    }
  }

  /** The residuals of a batch over its size, 0 elsewhere. */
  private double[] mean(double[] residuals, int[] batch) {
    double[] part = new double[residuals.length];
    for (int example : batch) {
      for (int row = example * outputs; row < (example + 1) * outputs; row++) {
        part[row] += residuals[row] / batch.length;
      }
    }
    return part;
  }

  private Sweep sweep(INDArray parameterWeights, boolean keepsBlocks) {
    ParameterWeights weights =
        parameterWeights == null
            ? ParameterWeights.ONES
            : replica.parameterWeights(parameterWeights);
    long budget = Math.min(offHeapBudget, SweepMemory.available());
    return new Sweep(replica, probe, weights).limitedTo(outputs, keepsBlocks, budget);
  }

  /** The derivatives of output o, whose value is f. */
  private INDArray derivatives(int o, INDArray f) {
    return derivatives.get(o).derivatives(f, firstColumn(o), outputs, weighting);
  }

  private int firstColumn(int o) {
    int from = 0;
    for (int before = 0; before < o; before++) {
      from += derivatives.get(before).columns();
    }
    return from;
  }

  /**
   * What of training's noise is not in the matrix: dropout, weight noise.
   *
   * @return a few words each; often empty
   */
  public List<String> simplifications() {
    return replica.noise();
  }

  /**
   * How many values of one example a statistic of batch normalisation is taken over.
   *
   * @return the fewest of all layers, 1 for dense ones; empty without batch normalisation
   */
  public OptionalLong statisticsPerExample() {
    return statistics;
  }

  /**
   * The number of examples.
   *
   * @return N
   */
  public int examples() {
    return probe.examples();
  }

  /**
   * The precision of the entries.
   *
   * @return true for float, false for double
   */
  public boolean isSinglePrecision() {
    return single;
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
    if (spotCheck != null) {
      spotCheck.close();
    }
  }

  /** Configures an {@link NtkGram}. */
  public static final class Builder {
    private final Model model;
    private MultiDataSet probe;
    private Weighting weighting = Weighting.CURVATURE;
    private Precision precision = Precision.AUTO;
    private GramMethod method = GramMethod.AUTO;
    private int spotChecks = 2;
    private boolean eigenvalues;
    private long offHeapBudget = Long.MAX_VALUE;
    private boolean layers;
    private boolean matrixFree;
    private BooleanSupplier cancelled = () -> false;
    private Tile.Product product = Tile.Product.NATIVE;
    private Tile.Product secondProduct = MatrixProduct::inJava;
    private long memoryBudget = Runtime.getRuntime().maxMemory() / 2;

    private Builder(Model model) {
      this.model = Objects.requireNonNull(model, "model");
    }

    /**
     * The examples at which the kernel is evaluated.
     *
     * @param probe features and labels, with masks of zeros and ones if need be; copied by {@link
     *     #build()}
     * @return this
     */
    public Builder probe(DataSet probe) {
      return probe(probe.toMultiDataSet());
    }

    /**
     * The examples at which the kernel is evaluated.
     *
     * @param probe one features array for each input and one labels array for each output of the
     *     network, with masks of zeros and ones if need be; copied by {@link #build()}
     * @return this
     */
    public Builder probe(MultiDataSet probe) {
      this.probe = Objects.requireNonNull(probe, "probe");
      return this;
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
     * Whether the part of each layer is wanted too; not by default. Each takes as much memory as
     * the whole.
     *
     * @param layers true for {@link NtkGramResult#layers()}
     * @return this
     */
    public Builder layers(boolean layers) {
      this.layers = layers;
      return this;
    }

    /**
     * How the matrices of the layers are formed; by default the cheapest way for each.
     *
     * @param method a way
     * @return this
     */
    public Builder method(GramMethod method) {
      this.method = Objects.requireNonNull(method, "method");
      return this;
    }

    /**
     * How many rows of the Jacobian are also computed by Deeplearning4j's own backward pass, to
     * compare entries with; 2 by default, chosen at random, always the same. They need a second
     * private copy of the model.
     *
     * @param rows at least 0; 0 for none
     * @return this
     */
    public Builder spotChecks(int rows) {
      if (rows < 0) {
        throw new IllegalArgumentException("spotChecks must be at least 0, got " + rows);
      }
      spotChecks = rows;
      return this;
    }

    /**
     * Whether the check compares the smallest eigenvalue with rounding; not by default, since it
     * takes some m³ operations.
     *
     * @param eigenvalues true for {@link GramCheck#smallestEigenvalue()}
     * @return this
     */
    public Builder eigenvalues(boolean eigenvalues) {
      this.eigenvalues = eigenvalues;
      return this;
    }

    /**
     * Restricts the computation to {@link NtkGram#operator}; then no memory is needed, nor asked,
     * for m² entries.
     *
     * @return this
     */
    public Builder matrixFree() {
      matrixFree = true;
      return this;
    }

    /**
     * The memory in the Java heap that the entries may take; half of the heap's limit by default.
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
     * The memory outside the Java heap that the derivatives of all columns may take at a time; by
     * default, and at most, three quarters of what JavaCPP's limit {@code
     * org.bytedeco.javacpp.maxphysicalbytes} leaves; the last quarter stays for training. A
     * computation that needs more is refused before it takes any.
     *
     * @param bytes at least 1
     * @return this
     */
    public Builder offHeapBudget(long bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("offHeapBudget must be at least 1 byte, got " + bytes);
      }
      offHeapBudget = bytes;
      return this;
    }

    /**
     * A cancellation check, asked before every layer and every tile of the matrix. An interrupt of
     * the calling thread cancels as well.
     *
     * @param cancelled true to stop with a {@link CancellationException}
     * @return this
     */
    public Builder cancelled(BooleanSupplier cancelled) {
      this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
      return this;
    }

    /** For tests of what happens where products are wrong. */
    Builder products(Tile.Product first, Tile.Product second) {
      product = first;
      secondProduct = second;
      return this;
    }

    /**
     * Copies the model and the probe set.
     *
     * @return the computation
     * @throws IllegalArgumentException if a layer, loss or shape is not supported or the memory
     *     budget does not suffice, with the rule, the value and a remedy
     */
    @SuppressWarnings("try") // the isolation is only begun and closed
    public NtkGram build() {
      if (probe == null) {
        throw new IllegalArgumentException("no probe set was given; call probe(...)");
      }
      try (Isolation isolation = Isolation.begin()) {
        return new NtkGram(this);
      }
    }

    private boolean chooseSingle(long m, int trained) {
      long matrices = layers ? 1L + trained : 1;
      double entries = (double) matrices * m * m;
      boolean single =
          precision == Precision.FLOAT
              || (precision == Precision.AUTO && 8 * entries > memoryBudget);
      double need = (single ? 4 : 8) * entries;
      if (need > memoryBudget) {
        throw UnsupportedModelException.ofSize(
            String.format(
                Locale.ROOT,
                "%s of %d rows in %s needs %,.0f bytes, the memory budget is %,d",
                matrices == 1 ? "a Gram matrix" : "Gram matrices of all layers,",
                m,
                single ? "float" : "double",
                need,
                memoryBudget),
            String.format(
                "use fewer examples%s%s, matrixFree() or raise the budget",
                single ? "" : ", Precision.FLOAT", layers ? ", no layers" : ""));
      }
      return single;
    }
  }
}
