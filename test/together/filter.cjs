/** @param {string[]} paths */
module.exports = async (paths) => {
  const { withoutMembersOfGroups } = await import('./groups.mjs');
  return { filtered: withoutMembersOfGroups(paths) };
};
