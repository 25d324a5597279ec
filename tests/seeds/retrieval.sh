# Verify with a session_id (preferred)
curl -X POST "https://your-server.example.com/retrieval" \
  -H "Content-Type: application/json" \
  -d '{"knowledge_id":"ps_abc123","query":"what is the user doing","retrieval_setting":{"top_k":5,"score_threshold":0.5}}'
# → {"records": [{"content": "…", "score": 1.0, "title": "…", "metadata": {}}]}

# Verify with an email
curl -X POST "https://your-server.example.com/retrieval" \
  -H "Content-Type: application/json" \
  -d '{"knowledge_id":"user@example.com","query":"what is the user doing","retrieval_setting":{"top_k":5,"score_threshold":0.5}}'
# → {"records": [...]}

# Unknown identifier returns empty records (correct — no events yet)
curl -X POST "https://your-server.example.com/retrieval" \
  -H "Content-Type: application/json" \
  -d '{"knowledge_id":"unknown","query":"test","retrieval_setting":{"top_k":5,"score_threshold":0.5}}'
# → {"records": []}
