// Where on the page somebody or something is shown.

export const personAddress = (id) => `#/person/${encodeURIComponent(id)}`;
export const alertAddress = (id) => `#/alerts/${encodeURIComponent(id)}`;
