Feature: Capitals
  Scenario: It answers in JSON
    Given the parameter "response_format" is {"type": "json_object"
    When I ask "What is the capital of France? Answer in JSON."
    Then the reply's "capital" is "Paris"
