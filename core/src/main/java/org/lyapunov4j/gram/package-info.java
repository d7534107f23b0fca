// SPDX-License-Identifier: Apache-2.0
/** Gram matrices of tangent kernels and their spectra. */
package org.lyapunov4j.gram;
