// SPDX-License-Identifier: Apache-2.0
/** What has to be mended in the Java kernel of the notebooks. */
package org.rapaio.jupyter.kernel.channels;
